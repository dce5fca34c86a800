/* dns.h - names: their addresses, connections to them, and names of addresses.
 *
 * The resolver is code of the guest's own, which the linker adds to programs that call it. It reads what
 * the embedder grants of the host's configuration (SF_OP_RESOLVER), asks the name servers there, and
 * remembers the answers of 256 names for as long as they say, but for 5 to 60 seconds; that there is no
 * such name for 5. Tasks that want the same at the same time ask once. All need the grant of names:
 * ENOTCAPABLE.
 *
 * A name is 1 to 253 bytes: labels of up to 63 letters, digits, "-" and "_", joined by dots; letters of
 * either case are the same. One with a dot at its end is tried as it is, others also in the domains that
 * the configuration says to search. What stands in the hosts file goes first, and localhost is this host.
 * Of international names the form with "xn--" is meant.
 */
#ifndef STACKFUL_DNS_H
#define STACKFUL_DNS_H

#include "net.h"

#ifndef SF_NET_IMPORT
#define SF_NET_IMPORT(name) __attribute__((import_module("stackful_net"), import_name(#name)))
#endif

/* The most addresses of one family that a name can have here; a server's further ones are left out. */
#define SF_RESOLVE_FAMILY_MAX 16

/* Largest name, in bytes, without a dot at its end. */
#define SF_NAME_MAX 253

/* Writes the addresses of a name, at most `addresses_max`, in the order in which to try them: IPv6 and
 * IPv4 by turns where there are both. `family`: enum sf_family, or 0 for both; `port` goes into each. A
 * numeric address is its own. Returns how many, at least one; 0 only when `addresses_max` is.
 * Errors: ENOENT when there is no such name, or it has no address of that family; EINVAL when it is no
 * name; ETIMEDOUT when no server answered; EIO when those that did could not tell; ENOTCAPABLE; EMFILE;
 * ENOMEM. */
SF_PARKS SF_NET_IMPORT(sf_resolve)
int32_t sf_resolve(const char *name, uint32_t name_bytes, uint32_t family, uint32_t port,
                   struct sf_address *addresses_out, uint32_t addresses_max);
SF_TIMED(sf_resolve, (const char *name, uint32_t name_bytes, uint32_t family, uint32_t port, struct sf_address *addresses_out, uint32_t addresses_max, sf_timeout_t timeout), (name, name_bytes, family, port, addresses_out, addresses_max))

/* Writes the name of an address, at most `bytes_max` bytes, unterminated; returns the name's length. What
 * the owner of the address says: proves nothing. Errors: as sf_resolve; EAFNOSUPPORT. */
SF_PARKS SF_NET_IMPORT(sf_resolve_address)
int32_t sf_resolve_address(const struct sf_address *address, char *name_out, uint32_t bytes_max);
SF_TIMED(sf_resolve_address, (const struct sf_address *address, char *name_out, uint32_t bytes_max, sf_timeout_t timeout), (address, name_out, bytes_max))

/* Connects to the first address of a name that answers, as RFC 8305 has it: tries the next one, of the
 * other family where there are both, when 250 ms have passed or an attempt has failed, and keeps the first
 * connection; the other attempts are canceled. Tries eight addresses at most. Returns a connection. Needs
 * the grant to connect to the addresses. Errors: as sf_resolve; those of the first attempt when all have
 * failed, see sf_tcp_connect. */
SF_PARKS SF_NET_IMPORT(sf_connect_host)
sf_handle_t sf_connect_host(const char *name, uint32_t name_bytes, uint32_t port);
SF_TIMED(sf_connect_host, (const char *name, uint32_t name_bytes, uint32_t port, sf_timeout_t timeout), (name, name_bytes, port))

/* Asks the host's own resolver, with all that it knows besides DNS. As sf_resolve, but with port 0, in the
 * host's order, and nothing is remembered. Where a thread waits for the host (see the capability of
 * LOOKUP), a cancel ends it only when the host has its answer. Errors: ENOENT, EINVAL for what is no name
 * or no family, ETIMEDOUT, EIO, ENOTCAPABLE, ENOSYS. */
SF_PARKS static inline int32_t sf_lookup(const char *name, uint32_t name_bytes, uint32_t family,
                                         struct sf_address *addresses_out,
                                         uint32_t addresses_max) {
  return sf_perform_request((struct sf_submission){
      .op = SF_OP_LOOKUP, .handle = -1, .pointer = sf_address_of(name), .length = name_bytes,
      .argument = family, .other_pointer = sf_address_of(addresses_out),
      .other_length = addresses_max});
}
SF_TIMED(sf_lookup, (const char *name, uint32_t name_bytes, uint32_t family, struct sf_address *addresses_out, uint32_t addresses_max, sf_timeout_t timeout), (name, name_bytes, family, addresses_out, addresses_max))

#endif
