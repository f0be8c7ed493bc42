# @summary An absolute path without blanks, control characters, empty parts, `.` or `..`, and not ending in a slash
type Certlet::Path = Pattern[/\A(\/(?!\.{1,2}(\/|\z))[^\/[:space:][:cntrl:];#]+)+\z/]
