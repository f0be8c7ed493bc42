# @summary A time span of systemd's, as in `15min` or `1h 30min` (systemd.time(7))
type Certlet::Interval = Pattern[/\A[0-9]{1,7}(s|sec|m|min|h|hr|d|day|days)?( [0-9]{1,7}(s|sec|m|min|h|hr|d|day|days))*\z/]
