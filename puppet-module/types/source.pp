# @summary Where a certificate comes from: `kv:PATH` below the KV mount
type Certlet::Source = Pattern[/\Akv:[^\/[:space:][:cntrl:];#]+(\/[^\/[:space:][:cntrl:];#]+)*\z/]
