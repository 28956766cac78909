"""One R session: R as a library, HTTP and WebSocket on a Unix socket."""
