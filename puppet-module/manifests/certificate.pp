# @summary A certificate that this server should have, for modules and profiles; the same as an entry of `certlet::certificates`
#
# The class has to be declared too. Ends, sorted among those of Hiera, in the one manifest. What requires it comes after the run
# of the agent. What has to be there first, as the user it belongs to or the directory of a path, comes
# `before => Class['certlet']`: each such resource by itself. The certificate cannot, nor a class, define or stage that holds it,
# for these end behind the run of the agent; Puppet refuses such a catalog with a dependency cycle.
#
# @example A profile that brings its certificate
#   include certlet
#   certlet::certificate { 'shop.example.com':
#     names    => ['shop.example.com', 'www.shop.example.com'],
#     services => ['haproxy'],
#   }
#   service { 'haproxy':
#     ensure  => running,
#     require => Certlet::Certificate['shop.example.com'],
#   }
#
# @example A user and a directory that come first
#   include certlet
#   user { 'app':
#     ensure => present,
#     before => Class['certlet'],
#   }
#   file { '/srv/tls':
#     ensure => directory,
#     before => Class['certlet'],
#   }
#   certlet::certificate { 'app.example.com':
#     owner     => 'app',
#     cert_path => '/srv/tls/cert.pem',
#   }
#
# @param ensure `absent`: this server should not have it
# @param source Where it comes from: `kv:PATH`; `kv:certs/NAME` when not given
# @param names The names that it must be valid for; its own when not given
# @param kv_mount The KV mount, if it is not the one of `certlet::vault`
# @param kv_version The version of that mount
# @param namespace The namespace, if it is not the one of `certlet::vault`
# @param fields The fields of the secret, where certlet does not know them
# @param owner The user that the files belong to
# @param group Their group
# @param cert_mode The mode of what is public
# @param key_mode The mode of what holds the key
# @param cert_path A further place for the certificate
# @param key_path A further place for the key
# @param chain_path A further place for the chain
# @param fullchain_path A further place for certificate and chain
# @param combined_path A further place for key, certificate and chain
# @param combined Whether there is a file of key, certificate and chain
# @param install Whether the further places are links or files
# @param adopt Whether a file that stands at one of the paths is taken over: kept until `certlet --purge`, and replaced
# @param trust_file The roots that the chain must lead to one of
# @param services What reads it: presets, or keys of `certlet::services`
define certlet::certificate (
  Enum['present', 'absent'] $ensure = 'present',
  Optional[Certlet::Source] $source = undef,
  Optional[Variant[Enum['any'], Array[Certlet::Hostname, 1]]] $names = undef,
  Optional[Certlet::Mount] $kv_mount = undef,
  Optional[Variant[Enum['auto', '1', '2'], Integer[1, 2]]] $kv_version = undef,
  Optional[Certlet::Mount] $namespace = undef,
  Optional[Hash[Enum['cert', 'key', 'chain', 'fullchain'], Certlet::Word, 1]] $fields = undef,
  Optional[Certlet::Account] $owner = undef,
  Optional[Certlet::Account] $group = undef,
  Optional[Certlet::Mode] $cert_mode = undef,
  Optional[Certlet::KeyMode] $key_mode = undef,
  Optional[Certlet::Path] $cert_path = undef,
  Optional[Certlet::Path] $key_path = undef,
  Optional[Certlet::Path] $chain_path = undef,
  Optional[Certlet::Path] $fullchain_path = undef,
  Optional[Certlet::Path] $combined_path = undef,
  Optional[Boolean] $combined = undef,
  Optional[Enum['symlink', 'copy']] $install = undef,
  Optional[Boolean] $adopt = undef,
  Optional[Certlet::Path] $trust_file = undef,
  Optional[Array[Certlet::ServiceName]] $services = undef,
) {
  unless $title =~ Certlet::Name {
    fail("Certlet::Certificate[${title}]: is no name of a certificate: letters, digits, `.`, `-` and `_`, up to 253, not beginning with `.` or `-`, not ending in `.`")
  }
  unless defined(Class['certlet']) {
    fail("certlet::certificate ${title}: include certlet as well")
  }
}
