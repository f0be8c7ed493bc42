# @summary Where a service answers: `HOST:PORT [sni=NAME] [starttls=smtp|imap|pop3]`
type Certlet::Verify = Pattern[/\A[A-Za-z0-9.:\[\]-]+:[0-9]{1,5}( +(sni|starttls)=[A-Za-z0-9.-]+){0,2}\z/]
