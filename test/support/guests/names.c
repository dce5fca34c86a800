/* names.c - does what its arguments say, one after the other, and prints what came of each. */
#include <alloca.h>
#include <stackful.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 64

static void print_address(const struct sf_address *address) {
  if (address->family == SF_FAMILY_IPV4) {
    printf(" %d.%d.%d.%d", address->bytes[0], address->bytes[1], address->bytes[2],
           address->bytes[3]);
  } else {
    printf(" ");
    for (int i = 0; i < 16; i += 2)
      printf(i == 0 ? "%x" : ":%x", address->bytes[i] << 8 | address->bytes[i + 1]);
  }
  if (address->port != 0) printf("/%d", address->port);
}

static void print_addresses(const struct sf_address *addresses, int32_t count) {
  if (count < 0) printf(" error %d", -count);
  for (int32_t i = 0; i < count; i++) print_address(&addresses[i]);
  printf("\n");
}

static void resolve(const char *name, uint32_t family, uint32_t max) {
  struct sf_address addresses[ADDRESSES_MAX];
  int32_t count = sf_resolve(name, (uint32_t)strlen(name), family, 0, addresses, max);
  printf("%s:", name);
  print_addresses(addresses, count);
}

static void lookup(const char *name, uint32_t family) {
  struct sf_address addresses[ADDRESSES_MAX];
  int32_t count = sf_lookup(name, (uint32_t)strlen(name), family, addresses, ADDRESSES_MAX);
  printf("lookup %s:", name);
  print_addresses(addresses, count);
}

static void reverse(const char *text) {
  struct sf_address address;
  char name[SF_NAME_MAX];
  int32_t bytes = sf_address_parse(text, (uint32_t)strlen(text), 0, &address);
  if (bytes == 0) bytes = sf_resolve_address(&address, name, sizeof(name));
  if (bytes < 0) printf("%s: error %d\n", text, -bytes);
  else printf("%s: %.*s\n", text, (int)bytes, name);
}

static void connect_to(const char *name, uint32_t port) {
  struct sf_address peer;
  uint64_t start_ns = sf_monotonic_ns();
  sf_handle_t handle = sf_connect_host(name, (uint32_t)strlen(name), port);
  uint64_t ms = (sf_monotonic_ns() - start_ns) / SF_MILLISECOND;
  if (handle < 0) {
    printf("connect %s: error %d after %d ms\n", name, -handle, (int)ms);
    return;
  }
  sf_peer_address(handle, &peer);
  printf("connect %s:", name);
  print_address(&peer);
  printf(" after %d ms\n", (int)ms);
  sf_close(handle);
}

static int32_t resolve_one(void *name) {
  struct sf_address addresses[ADDRESSES_MAX];
  return sf_resolve(name, (uint32_t)strlen(name), 0, 0, addresses, ADDRESSES_MAX);
}

/* Many tasks at once; the first is canceled. */
static void together(const char *name, uint32_t count, uint32_t cancel) {
  sf_task_t tasks[1000];
  int32_t addresses = 0, errors = 0, canceled = 0;
  for (uint32_t i = 0; i < count; i++) sf_spawn(resolve_one, (void *)name, NULL, &tasks[i]);
  sf_yield();
  if (cancel) sf_cancel(tasks[0]);
  for (uint32_t i = 0; i < count; i++) {
    int32_t result;
    sf_join(tasks[i], &result);
    if (result >= 0) addresses += result;
    else if (result == -SF_ECANCELED) canceled++;
    else errors++;
  }
  printf("%d tasks: %d addresses, %d canceled, %d errors\n", (int)count, addresses, canceled,
         errors);
}

/* Names that end with a number, so many of them, all at once. */
struct numbered {
  char name[64];
};

static int32_t resolve_numbered(void *argument) { return resolve_one(argument); }

static void different(const char *name, uint32_t count) {
  struct numbered *names = calloc(count, sizeof(*names));
  sf_task_t *tasks = calloc(count, sizeof(*tasks));
  int32_t addresses = 0, errors = 0;
  for (uint32_t i = 0; i < count; i++) {
    snprintf(names[i].name, sizeof(names[i].name), "%s%d", name, (int)i);
    sf_spawn(resolve_numbered, names[i].name, NULL, &tasks[i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    int32_t result;
    sf_join(tasks[i], &result);
    if (result >= 0) addresses += result;
    else errors++;
  }
  printf("%d names: %d addresses, %d errors\n", (int)count, addresses, errors);
}

/* With ever less of a small stack, until it traps at once: wherever that is, two others that ask for the same
 * name meanwhile get its addresses. */
#define SMALL_STACK_BYTES 8192u
#define PAD_MIN_BYTES 5120u
#define PAD_STEP_BYTES 24u

struct cramped {
  char name[64];
  uint32_t pad_bytes;
};

static int32_t resolve_cramped(void *argument) {
  struct cramped *cramped = argument;
  volatile uint8_t *pad = alloca(cramped->pad_bytes + 1);
  pad[0] = 0;
  return resolve_one(cramped->name) + pad[0];
}

static void cramped(const char *name) {
  const struct sf_spawn_options small = {.stack_bytes = SMALL_STACK_BYTES};
  int32_t trapped = 0, rounds = 0, addresses = 0, errors = 0;
  for (uint32_t pad = PAD_MIN_BYTES; pad < SMALL_STACK_BYTES; pad += PAD_STEP_BYTES, rounds++) {
    struct cramped cramped = {.pad_bytes = pad};
    sf_task_t tasks[3];
    snprintf(cramped.name, sizeof(cramped.name), "%s%d", name, (int)rounds);
    sf_spawn(resolve_cramped, &cramped, &small, &tasks[0]);
    for (uint32_t i = 1; i < 3; i++) sf_spawn(resolve_one, cramped.name, NULL, &tasks[i]);
    for (uint32_t i = 0; i < 3; i++) {
      int32_t result = 0;
      const int32_t error = sf_join(tasks[i], &result);
      if (error == -SF_ENOTRECOVERABLE && i == 0) trapped++;
      else if (error < 0 || result < 0) errors++;
      else addresses += result;
    }
  }
  printf("%d rounds: %d trapped, %d addresses, %d errors\n", (int)rounds, (int)trapped,
         (int)addresses, (int)errors);
}

static void within(const char *name, uint32_t ms) {
  struct sf_address addresses[4];
  int32_t count = sf_resolve_timeout(name, (uint32_t)strlen(name), 0, 0, addresses, 4,
                                     sf_after(ms * SF_MILLISECOND));
  printf("%s:", name);
  print_addresses(addresses, count);
}

int main(int count, char **arguments) {
  for (int i = 1; i + 1 < count; i += 2) {
    const char *what = arguments[i];
    char *value = arguments[i + 1];
    char *slash = strchr(value, '/');
    uint32_t number = slash == NULL ? 0 : (uint32_t)atoi(slash + 1);
    if (slash != NULL) *slash = 0;
    if (strcmp(what, "resolve") == 0) resolve(value, number, ADDRESSES_MAX);
    else if (strcmp(what, "few") == 0) resolve(value, 0, number);
    else if (strcmp(what, "lookup") == 0) lookup(value, number);
    else if (strcmp(what, "reverse") == 0) reverse(value);
    else if (strcmp(what, "connect") == 0) connect_to(value, number);
    else if (strcmp(what, "together") == 0) together(value, number, 0);
    else if (strcmp(what, "canceled") == 0) together(value, number, 1);
    else if (strcmp(what, "different") == 0) different(value, number);
    else if (strcmp(what, "cramped") == 0) cramped(value);
    else if (strcmp(what, "within") == 0) within(value, number);
    else if (strcmp(what, "sleep") == 0) sf_sleep((uint64_t)atoi(value) * SF_MILLISECOND);
    fflush(stdout);
  }
  return 0;
}
