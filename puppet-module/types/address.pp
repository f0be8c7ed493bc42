# @summary Where Vault listens: `https://HOST[:PORT]`, `unix:///PATH`, or `http://` to this machine itself
type Certlet::Address = Pattern[/\Ahttps:\/\/[^\/[:space:][:cntrl:];#]+(\/[A-Za-z0-9._~%+-]+)*\/?\z/, /\Aunix:\/\/\/[^\/[:space:][:cntrl:];#]+(\/[^\/[:space:][:cntrl:];#]+)*\z/,
  /\Ahttp:\/\/(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?\/?\z/]
