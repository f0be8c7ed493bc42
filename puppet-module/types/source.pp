# @summary Where a certificate comes from: `kv:PATH` below the KV mount, in which a policy would see no wildcard
type Certlet::Source = Pattern[/\Akv:(?!(.*\/)?(\.{1,2}|\+)?(\/|\z))(?!.*(\+\*|\{\{|\}\}|[.*]\z))[^[:space:][:cntrl:];#]+\z/]
