# @summary A program with its arguments, an absolute path first; a word with a blank stands in quotes, and no shell runs it
type Certlet::Command = Pattern[/\A(?=["']?\/.)(?!.*\s[;#])([^"'[:cntrl:]]|"[^"[:cntrl:]]*"|'[^'[:cntrl:]]*')+(?<!\s)\z/]
