"""Numbers and names as people read them."""

_UNITS = {"gb_per_s": "GB/s", "calls_per_s": "calls/s",
          "p50_us": "p50, µs", "p99_us": "p99, µs", "p999_us": "p99.9, µs",
          "total_cpu_us_per_mb": "CPU, µs/MB", "client_cpu_us_per_mb": "client's CPU, µs/MB",
          "server_cpu_us_per_mb": "server's CPU, µs/MB", "total_cpu_us_per_call": "CPU, µs/call",
          "client_cpu_us_per_call": "client's CPU, µs/call", "server_cpu_us_per_call": "server's CPU, µs/call",
          "beside_over_alone_p99": "p99 beside bulk, × alone", "alone_p99_us": "p99 alone, µs",
          "beside_p99_us": "p99 beside bulk, µs", "allocations_per_call": "allocations/call",
          "server_bytes_per_connection": "server's bytes/connection",
          "client_peak_rss_bytes": "client's peak RSS, bytes",
          "server_peak_rss_bytes": "server's peak RSS, bytes"}


def figure(name):
    return _UNITS.get(name, name)


def number(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:.{digits}f}"


def spread(found, scale=1.0):
    """Median (least–most)."""
    if found is None:
        return "–"
    return (f"{number(found['median'] / scale)} "
            f"({number(found['min'] / scale)}–{number(found['max'] / scale)})")
