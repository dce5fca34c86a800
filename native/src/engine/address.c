#include "engine/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

int32_t sf__address_to_os(const struct sf_address *address, struct sockaddr_storage *out,
                          socklen_t *out_bytes) {
  memset(out, 0, sizeof(*out));
  if (address->family == SF_FAMILY_IPV4) {
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(address->port);
    memcpy(&in->sin_addr, address->bytes, 4);
    *out_bytes = sizeof(*in);
    return 0;
  }
  if (address->family == SF_FAMILY_IPV6) {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address->port);
    in6->sin6_scope_id = address->scope;
    memcpy(&in6->sin6_addr, address->bytes, 16);
    *out_bytes = sizeof(*in6);
    return 0;
  }
  return -SF_EAFNOSUPPORT;
}

struct sf_address sf__address_from_os(const struct sockaddr_storage *address) {
  struct sf_address out = { 0 };
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    out.family = SF_FAMILY_IPV4;
    out.port = ntohs(in->sin_port);
    memcpy(out.bytes, &in->sin_addr, 4);
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    out.family = SF_FAMILY_IPV6;
    out.port = ntohs(in6->sin6_port);
    out.scope = in6->sin6_scope_id;
    memcpy(out.bytes, &in6->sin6_addr, 16);
  }
  return out;
}
