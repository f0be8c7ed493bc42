# @api private
# @summary The package; when the agent goes, also the user that came with it
# @param present Whether the agent is to be here
class certlet::install (Boolean $present) {
  if $certlet::manage_package {
    if $present {
      $provider = if $certlet::package_source { $certlet::package_file_provider }
      package { 'certlet':
        ensure   => $certlet::package_ensure,
        source   => $certlet::package_source,
        provider => $provider,
      }
    } else {
      package { 'certlet':
        * => $certlet::removed_package,
      }
      # systemd keeps a unit that failed, until the next boot.
      -> exec { 'certlet: systemctl reset-failed':
        command => 'systemctl reset-failed certlet.service',
        onlyif  => 'systemctl is-failed --quiet certlet.service',
        path    => ['/usr/bin', '/bin'],
      }
      -> user { 'certlet':
        ensure => absent,
      }
      -> group { 'certlet':
        ensure => absent,
      }
    }
  }
}
