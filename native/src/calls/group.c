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

int32_t sf__membership(struct sf_engine *engine, const struct sf_submission *submission,
                       struct sf_handle *handle) {
  struct sf_address group;
  struct group_req request = { .gr_interface = 0 };
  socklen_t bytes;
  if (submission->argument > 1) return -SF_EINVAL;
  int32_t err = sf__read_address(engine, submission->pointer, &group);
  if (err < 0) return err;
  if (group.family != handle->family) return -SF_EAFNOSUPPORT;
  err = granted(engine, &group, handle->fd);
  if (err < 0) return err;
  request.gr_interface = group.scope;
  group.scope = 0;
  err = sf__address_to_os(&group, &request.gr_group, &bytes);
  if (err < 0) return err;
  const int level = handle->family == SF_FAMILY_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int name = submission->argument == 1 ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
  engine->base.system_calls++;
  return setsockopt(handle->fd, level, name, &request, sizeof(request)) < 0 ? sf__error(errno) : 0;
}
