/* group.c - multicast: joining and leaving groups. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/calls.h"
#include "engine/address.h"
#include "engine/os-errno.h"

/* What is sent to a group can be heard by who listens at its address, on the socket's port. */
static int32_t granted(const struct sf_engine *engine, const struct sf_address *group, int fd) {
  struct sockaddr_storage os_address;
  socklen_t bytes = sizeof(os_address);
  if (getsockname(fd, (struct sockaddr *)&os_address, &bytes) < 0) return sf__error(errno);
  struct sf_address heard = *group;
  heard.port = sf__address_from_os(&os_address).port;
  return sf__grants_allow(&engine->base.grants, SF_ENDPOINT_LISTEN, &heard) ? 0 : -SF_ENOTCAPABLE;
}

#ifdef MCAST_JOIN_GROUP

/* Returns 0, or -1 and sets errno. */
static int join_or_leave(int fd, bool join, const struct sf_address *group,
                         const struct sockaddr_storage *os_group) {
  const int level = group->family == SF_FAMILY_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const struct group_req request = { .gr_interface = group->scope, .gr_group = *os_group };
  return setsockopt(fd, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request,
                    sizeof(request));
}

#else

static int join_or_leave(int fd, bool join, const struct sf_address *group,
                         const struct sockaddr_storage *os_group) {
  if (group->family == SF_FAMILY_IPV6) {
    const struct ipv6_mreq request = {
      .ipv6mr_multiaddr = ((const struct sockaddr_in6 *)os_group)->sin6_addr,
      .ipv6mr_interface = group->scope,
    };
    return setsockopt(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                      sizeof(request));
  }
  /* An address below 0.0.0.256 is the number of an interface. */
  const struct ip_mreq request = {
    .imr_multiaddr = ((const struct sockaddr_in *)os_group)->sin_addr,
    .imr_interface.s_addr = htonl(group->scope),
  };
  return setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                    sizeof(request));
}

#endif

int32_t sf__membership(struct sf_engine *engine, const struct sf_submission *submission,
                       struct sf_handle *handle) {
  struct sf_address group;
  struct sockaddr_storage os_group;
  socklen_t bytes;
  if (submission->argument > 1) return -SF_EINVAL;
  int32_t err = sf__read_address(engine, submission->pointer, &group);
  if (err < 0) return err;
  if (group.family != handle->family) return -SF_EAFNOSUPPORT;
  err = granted(engine, &group, handle->fd);
  if (err < 0) return err;
  struct sf_address without_scope = group;
  without_scope.scope = 0;
  err = sf__address_to_os(&without_scope, &os_group, &bytes);
  if (err < 0) return err;
  engine->base.system_calls++;
  const bool join = submission->argument == 1;
  return join_or_leave(handle->fd, join, &group, &os_group) < 0 ? sf__error(errno) : 0;
}
