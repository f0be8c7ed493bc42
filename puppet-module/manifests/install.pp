# @api private
# @summary The package; when the agent goes, also the user that it made
# @param present Whether the agent is to be here
class certlet::install (Boolean $present) {
  if $certlet::manage_package {
    if $present {
      package { 'certlet':
        ensure   => $certlet::package_ensure,
        source   => $certlet::package_source,
        provider => $certlet::package_source ? {
          undef   => undef,
          default => $certlet::removed_package['provider'],
        },
      }
    } else {
      package { 'certlet':
        * => $certlet::removed_package,
      }
    }
  }
  unless $present {
    user { $certlet::config::user:
      ensure => absent,
    }
  }
}
