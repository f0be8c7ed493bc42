# @summary A program with its arguments, an absolute path first; one with a blank stands in quotes, and no shell runs it
type Certlet::Command = Pattern[/\A\/(?!.*\s[;#])[^[:cntrl:]]{1,149}(?<!\s)\z/]
