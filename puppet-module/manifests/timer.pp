# @api private
# @summary The timer, and the run that a change asks for
# @param present Whether the agent is to be here
class certlet::timer (Boolean $present) {
  $settings = '/etc/systemd/system/certlet.timer.d'
  $runtime = '/run/systemd/system/certlet.timer.d'
  $reload = 'certlet: systemctl daemon-reload'

  exec { $reload:
    command     => 'systemctl daemon-reload',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
  }
  if $present {
    file { $settings:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
    $files = {
      'boot.conf'   => epp('certlet/boot.epp'),
      'puppet.conf' => epp('certlet/timer.epp', { 'interval' => $certlet::interval, 'splay' => $certlet::splay }),
    }
    $files.each |$name, $content| {
      file { "${settings}/${name}":
        ensure  => file,
        owner   => 'root',
        group   => 'root',
        mode    => '0644',
        content => $content,
        notify  => Exec[$reload],
      }
    }
    # A timer whose time after the boot is over runs the agent as soon as it is started; Certlet_run did that already. The file
    # comes after boot.conf in systemd's order, and takes back what stands there until the next boot.
    exec { 'certlet: leave out the run after the boot':
      command  => "mkdir -p ${runtime} && printf '[Timer]\\nOnBootSec=\\n' >${runtime}/booted.conf",
      unless   => 'systemctl is-active --quiet certlet.timer',
      path     => ['/usr/bin', '/bin'],
      provider => 'shell',
      notify   => Exec[$reload],
    }
    # An active timer has its new interval by the reload alone.
    Exec[$reload]
    -> service { 'certlet.timer':
      ensure   => running,
      enable   => true,
      provider => 'systemd',
    }
    certlet_run { 'certlet':
      before => Service['certlet.timer'],
    }
    # Nothing of this class, and nothing that is ordered behind it, depends on how the run went.
    include certlet::outcome
    Certlet_run['certlet'] ~> Class['certlet::outcome']
  } else {
    service { 'certlet.timer':
      ensure   => stopped,
      enable   => false,
      provider => 'systemd',
    }
    -> file { [$settings, $runtime]:
      ensure => absent,
      force  => true,
      backup => false,
    }
    ~> Exec[$reload]
  }
}
