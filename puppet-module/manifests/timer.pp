# @api private
# @summary The timer, and the run that a change asks for
# @param present Whether the agent is to be here
class certlet::timer (Boolean $present) {
  $settings = '/etc/systemd/system/certlet.timer.d'
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
    -> file { "${settings}/puppet.conf":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => epp('certlet/timer.epp', { 'interval' => $certlet::interval, 'splay' => $certlet::splay }),
    }
    ~> Exec[$reload]
    ~> service { 'certlet.timer':
      ensure   => running,
      enable   => true,
      provider => 'systemd',
    }
    # Before the timer, whose first run would be at the same time.
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
    -> file { $settings:
      ensure => absent,
      force  => true,
      backup => false,
    }
    ~> Exec[$reload]
  }
}
