/* option.c - socket options, in the guest's units. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/calls.h"
#include "engine/os-errno.h"
#include "engine/platform.h"

#if defined(SF_WINDOWS)
#undef TCP_KEEPIDLE
#define TCP_KEEPIDLE 3
#elif defined(__APPLE__)
#define TCP_KEEPIDLE TCP_KEEPALIVE
#elif defined(__OpenBSD__)
#define TCP_KEEPIDLE (-1) /* ENOPROTOOPT: all connections have the system's */
#endif

/* The most that every system takes for a number of seconds. */
#define SECONDS_MAX 32767

enum form {
  FORM_INT,
  FORM_BYTE, /* what IPv4 has of multicast: some systems take nothing longer */
  FORM_KEEP_ALIVE,
  FORM_LINGER,
};

struct name {
  int level;
  int name;
};

struct option {
  int64_t min;
  int64_t max;
  bool tcp;
  bool udp;
  uint8_t form; /* enum form; over IPv6 a FORM_BYTE is an int */
  struct name ipv4;
  struct name ipv6;
};

#define ANY_FAMILY(level, name) .ipv4 = { level, name }, .ipv6 = { level, name }
#define BUFFER_MAX (1 << 30) /* Linux sets aside twice as much */

static const struct option options[] = {
  [SF_OPTION_NO_DELAY] = { .max = 1, .tcp = true, ANY_FAMILY(IPPROTO_TCP, TCP_NODELAY) },
  [SF_OPTION_KEEP_ALIVE] = { .max = SECONDS_MAX, .tcp = true, .form = FORM_KEEP_ALIVE },
  [SF_OPTION_SEND_BUFFER] = { .min = 1, .max = BUFFER_MAX, .tcp = true, .udp = true,
                              ANY_FAMILY(SOL_SOCKET, SO_SNDBUF) },
  [SF_OPTION_RECEIVE_BUFFER] = { .min = 1, .max = BUFFER_MAX, .tcp = true, .udp = true,
                                 ANY_FAMILY(SOL_SOCKET, SO_RCVBUF) },
  [SF_OPTION_LINGER] = { .min = -1, .max = SECONDS_MAX, .tcp = true, .form = FORM_LINGER },
  [SF_OPTION_BROADCAST] = { .max = 1, .udp = true, ANY_FAMILY(SOL_SOCKET, SO_BROADCAST) },
  [SF_OPTION_MULTICAST_HOPS] = { .max = 255, .udp = true, .form = FORM_BYTE,
                                 .ipv4 = { IPPROTO_IP, IP_MULTICAST_TTL },
                                 .ipv6 = { IPPROTO_IPV6, IPV6_MULTICAST_HOPS } },
  [SF_OPTION_MULTICAST_LOOP] = { .max = 1, .udp = true, .form = FORM_BYTE,
                                 .ipv4 = { IPPROTO_IP, IP_MULTICAST_LOOP },
                                 .ipv6 = { IPPROTO_IPV6, IPV6_MULTICAST_LOOP } },
  [SF_OPTION_HOPS] = { .min = 1, .max = 255, .tcp = true, .udp = true,
                       .ipv4 = { IPPROTO_IP, IP_TTL },
                       .ipv6 = { IPPROTO_IPV6, IPV6_UNICAST_HOPS } },
};

/* The option that the guest names, or NULL when sockets of this kind have no such one. */
static const struct option *option_of(uint32_t number, const struct sf_handle *handle) {
  if (number >= sizeof(options) / sizeof(options[0])) return NULL;
  const struct option *option = &options[number];
  const bool has = handle->kind == SF_HANDLE_UDP ? option->udp : option->tcp;
  return has ? option : NULL;
}

static int32_t told(int result) {
  return result < 0 ? sf__error(errno) : 0;
}

static int32_t set_int(int fd, struct name at, int value) {
  return told(setsockopt(fd, at.level, at.name, &value, sizeof(value)));
}

static int32_t get_int(int fd, struct name at, int *out) {
  socklen_t bytes = sizeof(*out);
  return told(getsockopt(fd, at.level, at.name, out, &bytes));
}

static int32_t set_byte(int fd, struct name at, uint8_t value) {
  return told(setsockopt(fd, at.level, at.name, &value, sizeof(value)));
}

static int32_t get_byte(int fd, struct name at, int *out) {
  uint8_t value = 0;
  socklen_t bytes = sizeof(value);
  const int32_t err = told(getsockopt(fd, at.level, at.name, &value, &bytes));
  *out = value;
  return err;
}

static const struct name KEEP_ALIVE = { SOL_SOCKET, SO_KEEPALIVE };
static const struct name KEEP_IDLE = { IPPROTO_TCP, TCP_KEEPIDLE };

static int32_t set_keep_alive(int fd, int seconds) {
  const int32_t err = seconds == 0 ? 0 : set_int(fd, KEEP_IDLE, seconds);
  return err < 0 ? err : set_int(fd, KEEP_ALIVE, seconds != 0);
}

static int32_t get_keep_alive(int fd, int *out) {
  const int32_t err = get_int(fd, KEEP_ALIVE, out);
  return err < 0 || *out == 0 ? err : get_int(fd, KEEP_IDLE, out);
}

static int32_t set_linger(int fd, int seconds) {
  const struct linger linger = {
    .l_onoff = seconds >= 0,
    .l_linger = seconds >= 0 ? seconds : 0,
  };
  return told(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

static int32_t get_linger(int fd, int *out) {
  struct linger linger;
  socklen_t bytes = sizeof(linger);
  const int32_t err = told(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &bytes));
  if (err == 0) *out = linger.l_onoff ? linger.l_linger : -1;
  return err;
}

/* Of the socket; 0 when the system does not say. */
static int family_of(int fd) {
  struct sockaddr_storage address = { .ss_family = 0 };
  socklen_t bytes = sizeof(address);
  return getsockname(fd, (struct sockaddr *)&address, &bytes) < 0 ? 0 : address.ss_family;
}

static int32_t set(int fd, const struct option *option, int value) {
  const bool ipv6 = family_of(fd) == AF_INET6;
  const struct name at = ipv6 ? option->ipv6 : option->ipv4;
  switch (option->form) {
    case FORM_KEEP_ALIVE:
      return set_keep_alive(fd, value);
    case FORM_LINGER:
      return set_linger(fd, value);
    case FORM_BYTE:
      if (!ipv6) return set_byte(fd, at, (uint8_t)value);
      return set_int(fd, at, value);
    default:
      return set_int(fd, at, value);
  }
}

static int32_t get(int fd, const struct option *option, int *out) {
  const bool ipv6 = family_of(fd) == AF_INET6;
  const struct name at = ipv6 ? option->ipv6 : option->ipv4;
  switch (option->form) {
    case FORM_KEEP_ALIVE:
      return get_keep_alive(fd, out);
    case FORM_LINGER:
      return get_linger(fd, out);
    case FORM_BYTE:
      return ipv6 ? get_int(fd, at, out) : get_byte(fd, at, out);
    default:
      return get_int(fd, at, out);
  }
}

int32_t sf__set_option(struct sf_engine *engine, const struct sf_submission *submission,
                       struct sf_handle *handle) {
  const struct option *option = option_of(submission->argument, handle);
  const int64_t value = submission->offset;
  if (option == NULL) return -SF_ENOPROTOOPT;
  if (value < option->min || value > option->max) return -SF_EINVAL;
  engine->base.system_calls++;
  const int32_t err = set(handle->fd, option, (int)value);
  if (err == 0 && option->form == FORM_LINGER) handle->lingers = value > 0;
  return err;
}

int32_t sf__get_option(struct sf_engine *engine, const struct sf_submission *submission,
                       struct sf_handle *handle) {
  const struct option *option = option_of(submission->argument, handle);
  int value = 0;
  if (option == NULL) return -SF_ENOPROTOOPT;
  void *out = sf__guest_range(&engine->base.guest, submission->other_pointer, sizeof(int64_t));
  if (out == NULL) return -SF_EFAULT;
  engine->base.system_calls++;
  const int32_t err = get(handle->fd, option, &value);
  if (err < 0) return err;
  const int64_t wide = value;
  memcpy(out, &wide, sizeof(wide));
  return 0;
}
