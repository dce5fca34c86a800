-- The last line of wrk's output: what bench/http.ts reads.
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '{"requests":%d,"errors":%d,"microseconds":%d,"p50":%d,"p99":%d}\n',
    summary.requests,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
