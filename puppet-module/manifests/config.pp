# @api private
# @summary The manifest and the credentials; when the agent goes, first all that it installed
# @param present Whether the agent is to be here
# @param certificates Those that it should have, by name
class certlet::config (
  Boolean $present,
  Hash[Certlet::Name, Certlet::Entry] $certificates,
) {
  $directory = '/etc/certlet'
  $manifest = "${directory}/manifest.ini"
  $files = {
    'role_id_file'           => "${directory}/role-id",
    'secret_id_file'         => "${directory}/secret-id",
    'wrapped_secret_id_file' => "${directory}/wrapped-secret-id",
  } + $certlet::vault

  # What `convert_to: Sensitive` makes of a secret-id that a layer of Hiera takes back: ~
  $secret_id = if $certlet::secret_id !~ Sensitive[Undef] { $certlet::secret_id }

  if $present {
    if $certlet::wrapped_secret_id and $secret_id {
      fail('certlet::secret_id: certlet::wrapped_secret_id stands for it; the one would overwrite what the other brought')
    }
    if $certlet::wrapped_secret_id and $certlet::vault['auth'] =~ Enum['cert', 'token'] {
      fail('certlet::wrapped_secret_id: is for auth: approle in certlet::vault')
    }
    # Of what is Sensitive the types see no more than that it is a text, and of none that it is blank.
    $secrets = { 'role_id' => $certlet::role_id, 'secret_id' => $secret_id }
    $secrets.each |$name, $secret| {
      $text = $secret ? {
        Sensitive => $secret.unwrap,
        default   => $secret,
      }
      if $text =~ String and $text.strip.empty {
        fail("certlet::${name}: is empty")
      }
    }
    # Where the fact is missing, as in a catalog that is made to be looked at, the server's own directory stands for the node's.
    $certname = getvar('trusted.certname', $settings::certname)
    $login = if $certlet::vault['auth'] == 'cert' and !('client_cert_file' in $certlet::vault or 'client_key_file' in $certlet::vault) {
      # The node's own Puppet certificate: nothing has to be handed out.
      {
        'client_cert_file' => $facts.dig('certlet_login', 'certificate').lest || { "${settings::ssldir}/certs/${certname}.pem" },
        'client_key_file'  => $facts.dig('certlet_login', 'key').lest || { "${settings::ssldir}/private_keys/${certname}.pem" },
      }
    } elsif $certlet::wrapped_secret_id {
      { 'wrapped_secret_id_file' => $files['wrapped_secret_id_file'] }
    } else {
      {}
    }
    $vault = $login + $certlet::vault
    $listed = $certlet::certificates.lest || { {} }
    certlet::check($vault, $certlet::agent, $certificates, $certlet::services, $certlet::interval, $listed.keys)

    $token = if $certlet::wrapped_secret_id { certlet::wrapped_secret_id() }
    $credentials = {
      $files['role_id_file']           => $certlet::role_id,
      $files['secret_id_file']         => $secret_id,
      $files['wrapped_secret_id_file'] => $token,
    }.filter |$path, $content| { $content =~ NotUndef }

    file { $directory:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
    $credentials.each |$path, $content| {
      file { $path:
        ensure    => file,
        owner     => 'root',
        group     => 'root',
        mode      => '0600',
        content   => $content,
        show_diff => false,
        backup    => false,
        before    => File[$manifest],
      }
    }
    file { $manifest:
      ensure       => file,
      owner        => 'root',
      group        => 'root',
      mode         => '0644',
      content      => epp('certlet/manifest.epp', {
          'vault'        => $vault,
          'agent'        => $certlet::agent,
          'certificates' => $certificates,
          'services'     => $certlet::services,
      }),
      validate_cmd => '/usr/sbin/certlet --test --manifest %',
      backup       => false,
    }
  } else {
    # Those in the directory go with it; elsewhere a file that is not managed may be another's.
    $managed = {
      'role_id_file'           => $certlet::role_id =~ NotUndef,
      'secret_id_file'         => $secret_id =~ NotUndef or $certlet::wrapped_secret_id,
      'wrapped_secret_id_file' => $certlet::wrapped_secret_id,
    }.filter |$key, $is_managed| { $is_managed }
    $credentials = $managed.keys.map |$key| { $files[$key] }.unique - $directory

    certlet_installation { $manifest:
      ensure          => absent,
      directory       => $certlet::agent['directory'],
      state_directory => $certlet::agent['state_directory'],
      run_directory   => $certlet::agent['run_directory'],
      metrics_file    => $certlet::agent['metrics_file'],
      force           => $certlet::purge_force,
      units           => ['certlet.timer', 'certlet.service'],
    }
    -> file { $directory:
      ensure => absent,
      force  => true,
      backup => false,
    }
    # Not by force: what stands there by a mistake may be a directory, with all that others have in it.
    file { $credentials:
      ensure  => absent,
      backup  => false,
      require => Certlet_installation[$manifest],
    }
  }
}
