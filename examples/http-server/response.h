/* response.h - the head of an answer, and answers that are short. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http-server/connection.h"
#include "http-server/request.h"

#define DATE_BYTES (sizeof("Sun, 06 Nov 1994 08:49:37 GMT") - 1)

struct response {
  uint32_t status;
  struct slice type;
  struct slice fields; /* further ones, each with its CR LF */
  uint64_t content_bytes;
};

static struct slice reason(uint32_t status) {
  switch (status) {
    case 200: return SLICE("200 OK");
    case 400: return SLICE("400 Bad Request");
    case 403: return SLICE("403 Forbidden");
    case 404: return SLICE("404 Not Found");
    case 405: return SLICE("405 Method Not Allowed");
    case 408: return SLICE("408 Request Timeout");
    case 413: return SLICE("413 Content Too Large");
    case 414: return SLICE("414 URI Too Long");
    case 417: return SLICE("417 Expectation Failed");
    case 431: return SLICE("431 Request Header Fields Too Large");
    case 501: return SLICE("501 Not Implemented");
    case 503: return SLICE("503 Service Unavailable");
    case 505: return SLICE("505 HTTP Version Not Supported");
    default: return SLICE("500 Internal Server Error");
  }
}

static void two_digits(char *text, uint64_t number) {
  text[0] = (char)('0' + number / 10 % 10);
  text[1] = (char)('0' + number % 10);
}

/* `seconds` since 1970, as RFC 9110 wants dates. */
static void format_date(char text[DATE_BYTES], uint64_t seconds) {
  const uint64_t days = seconds / 86400, of_day = seconds % 86400;
  /* Years begin in March, and the count in the year 0: leap days are at the ends then. */
  const uint64_t since = days + 719468, era_day = since % 146097;
  const uint64_t year_of_era = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
  const uint64_t day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t march_month = (5 * day_of_year + 2) / 153;
  const uint64_t month = (march_month + 2) % 12;
  const uint64_t year = since / 146097 * 400 + year_of_era + (month < 2);
  memcpy(text, "Thu, 00 Jan 0000 00:00:00 GMT", DATE_BYTES);
  memcpy(text, &"ThuFriSatSunMonTueWed"[days % 7 * 3], 3);
  two_digits(text + 5, day_of_year - (153 * march_month + 2) / 5 + 1);
  memcpy(text + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3], 3);
  two_digits(text + 12, year / 100);
  two_digits(text + 14, year);
  two_digits(text + 17, of_day / 3600);
  two_digits(text + 20, of_day / 60 % 60);
  two_digits(text + 23, of_day % 60);
}

/* The time of the answer; the wall clock is asked once a second. */
static struct slice date(void) {
  static char text[DATE_BYTES];
  static uint64_t until_ns;
  const uint64_t now_ns = sf_now();
  if (now_ns >= until_ns) {
    const uint64_t wall_ns = sf_wall_ns();
    format_date(text, wall_ns / SF_SECOND);
    until_ns = now_ns + SF_SECOND - wall_ns % SF_SECOND;
  }
  return (struct slice){ text, DATE_BYTES };
}

static int32_t append_slices(struct connection *connection, const struct slice *slices,
                             uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const int32_t error = append(connection, slices[i].at, slices[i].bytes);
    if (error < 0) return error;
  }
  return 0;
}

/* The head; the content follows it, unless the request was HEAD. `request` is NULL when it could not be read. */
static int32_t respond_head(struct connection *connection, const struct request *request,
                            const struct response *response) {
  char digits[20];
  const bool says_keep_alive = request != NULL && request->is_1_0 && !connection->closing;
  const struct slice slices[] = {
    SLICE("HTTP/1.1 "),
    reason(response->status),
    SLICE("\r\nDate: "),
    date(),
    SLICE("\r\nContent-Type: "),
    response->type,
    SLICE("\r\nContent-Length: "),
    { digits, format_decimal(digits, response->content_bytes) },
    SLICE("\r\n"),
    response->fields,
    connection->closing ? SLICE("Connection: close\r\n")
    : says_keep_alive   ? SLICE("Connection: keep-alive\r\n")
                        : SLICE(""),
    SLICE("\r\n"),
  };
  connection->unanswered = false;
  return append_slices(connection, slices, sizeof(slices) / sizeof(*slices));
}

static int32_t respond(struct connection *connection, const struct request *request,
                       struct response response, struct slice content) {
  response.content_bytes = content.bytes;
  const int32_t error = respond_head(connection, request, &response);
  if (error < 0 || (request != NULL && request->method == METHOD_HEAD)) return error;
  return append(connection, content.at, content.bytes);
}

/* An answer that says nothing but its status. */
static int32_t respond_status(struct connection *connection, const struct request *request,
                              uint32_t status, struct slice fields) {
  const struct response response = { .status = status, .type = SLICE("text/plain"), .fields = fields };
  return respond(connection, request, response, reason(status));
}

#endif
