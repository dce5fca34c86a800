/* processes.c - tasks that start programs and wait for them. */
#include <stackful.h>
#include <stackful/process.h>
#include "law.h"

#define SHELL "/bin/sh"
#define KILLED 9

/* A shell that runs `script`, with pipes for its input and output. */
static int32_t start(const char *script, struct sf_process_request *request) {
  char arguments[64];
  memcpy(arguments, "sh\0-c", 6);
  strcpy(arguments + 6, script);
  *request = (struct sf_process_request){
      .path = SHELL,
      .path_bytes = sizeof(SHELL) - 1,
      .arguments = arguments,
      .arguments_bytes = 6 + (uint32_t)strlen(script) + 1,
      .stdio = {{.kind = SF_PROCESS_PIPE}, {.kind = SF_PROCESS_PIPE}, {.kind = SF_PROCESS_NULL}},
  };
  return sf_spawn_process(request);
}

static void close_pipes(const struct sf_process_request *request) {
  for (int i = 0; i < 2; i++) sf_close(request->stdio[i].handle);
}

/* A wait with a deadline leaves the child as it is. */
LAW(deadline)(void) {
  struct sf_process_request request;
  struct sf_exit_status status = {.code = 77};
  const sf_handle_t process = start("read line; exit 3", &request);
  CHECK(process >= 0);
  CHECK(sf_process_wait_timeout(process, &status, sf_after(SF_MILLISECOND)) == -SF_ETIMEDOUT);
  CHECK(status.code == 77);
  CHECK(sf_write_all(request.stdio[0].handle, "\n", 1) == 0);
  CHECK(sf_process_wait_timeout(process, &status, sf_after(LONG)) == 0);
  CHECK(status.code == 3 && status.signal == 0);
  CHECK(sf_process_kill(process, SF_SIGNAL_TERMINATE) == -SF_ESRCH);
  close_pipes(&request);
  CHECK(sf_close(process) == 0);
  return 0;
}

static int32_t wait_for(void *argument) {
  struct sf_exit_status status;
  return sf_process_wait(*(sf_handle_t *)argument, &status);
}

/* A task that is canceled while it waits leaves the child as it is. */
LAW(canceled)(void) {
  struct sf_process_request request;
  struct sf_exit_status status;
  sf_task_t task;
  sf_handle_t process = start("read line; exit 3", &request);
  CHECK(process >= 0);
  CHECK(sf_spawn(wait_for, &process, NULL, &task) == 0);
  sf_yield();
  CHECK(sf_cancel(task) == 0);
  CHECK_JOIN(task, -SF_ECANCELED);
  CHECK(sf_process_kill(process, SF_SIGNAL_KILL) == 0);
  CHECK(sf_process_wait(process, &status) == 0);
  CHECK(status.code == -1 && status.signal == KILLED);
  close_pipes(&request);
  CHECK(sf_close(process) == 0);
  return 0;
}

/* Sends a number to a child of its own, which sends it back and exits with it. */
static int32_t exchange(void *argument) {
  const char sent[2] = {(char)('0' + (intptr_t)argument), '\n'};
  char received[2];
  struct sf_process_request request;
  struct sf_exit_status status;
  const sf_handle_t process = start("read n; echo $n; exit $n", &request);
  CHECK(process >= 0);
  CHECK(sf_write_all(request.stdio[0].handle, sent, 2) == 0);
  CHECK(sf_read_full(request.stdio[1].handle, received, 2) == 2);
  CHECK(memcmp(sent, received, 2) == 0);
  CHECK(sf_process_wait(process, &status) == 0);
  CHECK(status.code == (intptr_t)argument);
  close_pipes(&request);
  CHECK(sf_close(process) == 0);
  return 0;
}

/* Tasks start and wait for children side by side. */
LAW(many)(void) {
  sf_task_t tasks[8];
  for (intptr_t i = 0; i < 8; i++) CHECK(sf_spawn(exchange, (void *)i, NULL, &tasks[i]) == 0);
  for (int i = 0; i < 8; i++) CHECK_JOIN(tasks[i], 0);
  return 0;
}

/* The child's own number; it lives until the runtime ends. */
int32_t EXPORT(leave_running)(void) {
  struct sf_process_request request;
  int32_t pid = 0;
  char digit;
  const sf_handle_t process = start("echo $$; read line", &request);
  if (process < 0) return process;
  while (sf_read(request.stdio[1].handle, &digit, 1) == 1 && digit != '\n') {
    pid = pid * 10 + (digit - '0');
  }
  const int32_t result = sf_close(process);
  return result < 0 ? result : pid;
}
