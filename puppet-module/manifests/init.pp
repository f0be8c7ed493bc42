# @summary Puts the TLS certificates that this server should have onto it, and takes away those it should not have
#
# Which certificates is said in Hiera; certlet fetches them from Vault or OpenBao. No key passes through Puppet, and Puppet
# never talks to Vault in a run. `include certlet` stands in the base profile of every server.
#
# @example All that nginx needs, in Hiera
#   certlet::vault:
#     address: https://vault.example.com:8200
#     auth: cert
#   certlet::certificates:
#     www.example.com:
#       group: ssl-cert
#       key_mode: '0640'
#       services: [nginx]
#
# @param certificates
#   The certificates of this server. Undefined: nothing is managed and nothing removed. `{}`, and no `certlet::certificate`:
#   the agent, its certificates and all that it ever made go. Layers of Hiera are merged; one takes a certificate of another
#   away by `ensure: absent`.
# @param services What the presets of services do not cover
# @param vault Where Vault is, and how this server logs in
# @param agent Directories, user and thresholds of the agent
# @param ensure `absent`: everything goes, whatever is listed
# @param role_id AppRole: the role's identifier, kept in `role_id_file`; no secret. Undefined: the file is not managed
# @param secret_id AppRole: the secret-id, kept in `secret_id_file`. In clear in the node's cached catalog unless Deferred
# @param wrapped_secret_id AppRole: let the server mint a response-wrapped secret-id when this node needs one
# @param package_ensure `installed`, `latest` or a version; `ensure` says that it goes
# @param manage_package Whether the package is Puppet's; it is also removed then
# @param package_source A package file on the node, where no repository has it
# @param interval How often the timer runs the agent, as systemd writes a time span; `1min` or more
# @param splay The most that a run is put off by, so that servers do not ask all at once
# @param purge_force At the removal also delete certificates that a service still uses
# @param removed_package Of the package resource when the agent goes; from the module's data
# @param package_file_provider The provider that installs `package_source`; from the module's data
class certlet (
  Enum['present', 'absent'] $ensure,
  Hash[Certlet::ServiceName, Certlet::Service] $services,
  Certlet::Vault $vault,
  Certlet::Agent $agent,
  Pattern[/\A(?!(absent|purged|held|disabled)\z)[^-]/] $package_ensure,
  Boolean $manage_package,
  Certlet::Interval $interval,
  Certlet::Interval $splay,
  Boolean $purge_force,
  Boolean $wrapped_secret_id,
  Struct[{ ensure => Enum['absent', 'purged'], Optional['provider'] => String[1] }] $removed_package,
  Optional[Hash[Certlet::Name, Certlet::Entry]] $certificates = undef,
  Optional[Variant[String[1], Certlet::Credential]] $role_id = undef,
  Optional[Variant[Certlet::Credential, Sensitive[Undef]]] $secret_id = undef,
  Optional[Certlet::Path] $package_source = undef,
  Optional[String[1]] $package_file_provider = undef,
) {
  $certificates.lest || { {} }.each |$name, $settings| {
    certlet::certificate { $name:
      * => $settings,
    }
  }
  certlet::whole { 'certlet': }
}
