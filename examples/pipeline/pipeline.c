/* pipeline.c - runs programs of the host with pipes between them, as a shell does.
 *
 *   stackful run --allow-run=sort,uniq,head --dir . pipeline.wasm \
 *     --from ./words --run 'sort | uniq -c | sort -rn | head -3'
 *
 * Each child writes into a pipe whose other end the next one is given. Where the host cannot do that (Node
 * without the addon), a task carries the bytes.
 */
#include <stackful.h>
#include <stackful/fs.h>
#include <stackful/process.h>
#include <stdio.h>
#include <string.h>

#include "shared/arguments.h"
#include "shared/error-name.h"

#define STAGES_MAX 16
#define STAGE_BYTES_MAX 1024
#define PIECE_BYTES 16384

struct carrier {
  sf_handle_t from;
  sf_handle_t to;
};

struct stage {
  char arguments[STAGE_BYTES_MAX]; /* each with a zero at its end */
  uint32_t arguments_bytes;
  sf_handle_t process;
  sf_handle_t output; /* what it writes */
  struct carrier carrier; /* of its input */
};

/* Carries bytes until one side ends, and then both have. */
static int32_t carry(void *argument) {
  const struct carrier *carrier = argument;
  char piece[PIECE_BYTES];
  int32_t count;
  while ((count = sf_read(carrier->from, piece, sizeof piece)) > 0) {
    count = sf_write_all(carrier->to, piece, (uint32_t)count);
    if (count < 0) break;
  }
  sf_close(carrier->to);
  sf_close(carrier->from);
  return count;
}

/* Prints what comes, and ends with it. */
static int32_t print_all(sf_handle_t from) {
  char piece[PIECE_BYTES];
  int32_t count;
  while ((count = sf_read(from, piece, sizeof piece)) > 0) fwrite(piece, 1, (size_t)count, stdout);
  return count;
}

/* Splits "sort | uniq -c" at bars and spaces. Returns how many stages there are; 0: it is none. */
static uint32_t parse(const char *text, struct stage *stages) {
  uint32_t count = 0;
  while (count < STAGES_MAX) {
    struct stage *stage = &stages[count++];
    stage->arguments_bytes = 0;
    while (*text != '\0' && *text != '|') {
      const size_t word_bytes = strcspn(text, " |");
      if (stage->arguments_bytes + word_bytes + 1 > STAGE_BYTES_MAX) return 0;
      if (word_bytes > 0) {
        memcpy(stage->arguments + stage->arguments_bytes, text, word_bytes);
        stage->arguments_bytes += (uint32_t)word_bytes;
        stage->arguments[stage->arguments_bytes++] = '\0';
      }
      text += word_bytes;
      text += strspn(text, " ");
    }
    if (stage->arguments_bytes == 0) return 0;
    if (*text == '\0') return count;
    text++;
  }
  return 0;
}

/* Without an input it has this program's. */
static int32_t start(struct stage *stage, sf_handle_t input) {
  const struct sf_process_stream pipe = {.kind = SF_PROCESS_PIPE, .handle = -1};
  const struct sf_spawn_options options = {.stack_bytes = 2 * PIECE_BYTES + 16384};
  struct sf_process_request request = {
      .path = stage->arguments,
      .path_bytes = (uint32_t)strlen(stage->arguments),
      .arguments = stage->arguments,
      .arguments_bytes = stage->arguments_bytes,
      .stdio = {{.kind = SF_PROCESS_INHERIT}, pipe, {.kind = SF_PROCESS_INHERIT}},
  };
  if (input >= 0) {
    request.stdio[0] = (struct sf_process_stream){.kind = SF_PROCESS_HANDLE, .handle = input};
  }
  stage->process = sf_spawn_process(&request);
  if (stage->process == -SF_ENOTSUP && input >= 0) {
    request.stdio[0] = pipe;
    stage->process = sf_spawn_process(&request);
    if (stage->process >= 0) {
      stage->carrier = (struct carrier){.from = input, .to = request.stdio[0].handle};
      const int32_t result = sf_spawn(carry, &stage->carrier, &options, NULL);
      if (result < 0) return result;
    }
  } else if (stage->process >= 0 && input >= 0) {
    sf_close(input); /* the child has its own */
  }
  if (stage->process < 0) return stage->process;
  stage->output = request.stdio[1].handle;
  return 0;
}

/* Says how it ended. Returns the code, as a shell tells it. */
static int32_t end(const struct stage *stage) {
  struct sf_exit_status status;
  const int32_t result = sf_process_wait(stage->process, &status);
  if (result < 0) {
    fprintf(stderr, "pipeline: wait for %s: %s\n", stage->arguments, error_name(result));
    return 1;
  }
  return status.signal == 0 ? status.code : 128 + (int32_t)status.signal;
}

int main(int argc, char **argv) {
  static struct stage stages[STAGES_MAX];
  const char *from = NULL, *commands = NULL;
  const struct argument arguments[] = {{.name = "--from", .text = &from},
                                       {.name = "--run", .text = &commands}};
  if (!parse_arguments(argc, argv, arguments, 2)) return 2;
  const uint32_t count = commands == NULL ? 0 : parse(commands, stages);
  if (count == 0) {
    fprintf(stderr, "pipeline: [--from FILE] --run 'PROGRAM ARGUMENT... | PROGRAM...'\n");
    return 2;
  }
  sf_handle_t input = -1;
  if (from != NULL) {
    input = sf_open(from, (uint32_t)strlen(from), SF_OPEN_READ, 0);
    if (input < 0) {
      fprintf(stderr, "pipeline: open %s: %s\n", from, error_name(input));
      return 1;
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    const int32_t result = start(&stages[i], input);
    if (result < 0) {
      /* What was started before ends with this program. */
      fprintf(stderr, "pipeline: start %s: %s\n", stages[i].arguments, error_name(result));
      return 127;
    }
    input = stages[i].output;
  }
  const int32_t printed = print_all(input);
  sf_close(input);
  int32_t code = 0;
  for (uint32_t i = 0; i < count; i++) code = end(&stages[i]);
  return printed < 0 ? 1 : code;
}
