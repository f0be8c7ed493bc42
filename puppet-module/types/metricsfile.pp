# @summary A `Certlet::Path` that ends in `.prom`: node_exporter reads no other in its textfile directory
type Certlet::MetricsFile = Pattern[/\A(?=.*[^\/]\.prom\z)(\/(?!\.{1,2}(\/|\z))[^\/[:space:][:cntrl:];#]+)+\z/]
