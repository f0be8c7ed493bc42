# @api private
# @summary The services that the agent knows by itself: the sections of its services.ini
# @return their names
function certlet::presets() >> Array[Certlet::ServiceName] {
  ['nginx', 'haproxy', 'apache2', 'httpd', 'postfix', 'dovecot', 'exim4', 'slapd', 'postgresql']
}
