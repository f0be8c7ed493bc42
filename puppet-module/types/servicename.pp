# @summary The name of a service: a preset, or a key of `certlet::services`
type Certlet::ServiceName = Pattern[/\A[A-Za-z0-9_@:]([A-Za-z0-9_.@:-]{0,251}[A-Za-z0-9_@:-])?\z/]
