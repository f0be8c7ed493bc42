# @api private
# @summary The manifest and the credentials; when the agent goes, first all that it installed
# @param present Whether the agent is to be here
# @param certificates Those that it should have, by name
class certlet::config (
  Boolean $present,
  Hash[Certlet::Name, Certlet::Certificate] $certificates,
) {
  $directory = '/etc/certlet'
  $manifest = "${directory}/manifest.ini"
  $defaults = {
    'role_id_file'           => "${directory}/role-id",
    'secret_id_file'         => "${directory}/secret-id",
    'wrapped_secret_id_file' => "${directory}/wrapped-secret-id",
  }
  $files = $defaults + $certlet::vault
  $puppet = $facts.dig('certlet', 'puppet')
  $login = $certlet::vault['auth'] ? {
    # The node's own Puppet certificate: nothing has to be handed out.
    'cert'  => $puppet ? {
      undef   => {},
      default => { 'client_cert_file' => $puppet['certificate'], 'client_key_file' => $puppet['key'] },
    },
    default => $certlet::wrapped_secret_id ? {
      true  => { 'wrapped_secret_id_file' => $files['wrapped_secret_id_file'] },
      false => {},
    },
  }

  if $present {
    File {
      owner  => 'root',
      group  => 'root',
      backup => false,
    }
    file { $directory:
      ensure => directory,
      mode   => '0755',
    }
    $token = $certlet::wrapped_secret_id ? {
      true  => certlet::wrapped_secret_id(),
      false => undef,
    }
    $credentials = {
      $files['role_id_file']           => $certlet::role_id,
      $files['secret_id_file']         => $certlet::secret_id,
      $files['wrapped_secret_id_file'] => $token,
    }
    $credentials.filter |$path, $content| { $content =~ NotUndef }.each |$path, $content| {
      file { $path:
        ensure    => file,
        mode      => '0600',
        content   => $content,
        show_diff => false,
        before    => File[$manifest],
      }
    }
    file { $manifest:
      ensure       => file,
      mode         => '0644',
      content      => epp('certlet/manifest.epp', {
          'vault'        => $login + $certlet::vault,
          'agent'        => $certlet::agent,
          'certificates' => $certificates,
          'services'     => $certlet::services,
      }),
      validate_cmd => '/usr/sbin/certlet --test --manifest %',
    }
  } else {
    certlet_installation { $manifest:
      ensure          => absent,
      directory       => $certlet::agent['directory'],
      state_directory => $certlet::agent['state_directory'],
      run_directory   => $certlet::agent['run_directory'],
      force           => $certlet::purge_force,
    }
    -> file { unique([$directory] + $defaults.keys.map |$key| { $files[$key] }):
      ensure => absent,
      force  => true,
      backup => false,
    }
  }
}
