# @api private
# @summary A section of the manifest, its keys sorted; nothing when there are none and none is needed
#
# An empty list is what the agent does without a line: it takes no key without a value.
# @param title What stands between the brackets
# @param settings The keys and their values
# @return the lines, and an empty one behind them
function certlet::section(String[1] $title, Hash[String[1], NotUndef] $settings) >> String {
  $given = $settings.filter |$key, $value| { $value != [] }
  $lines = $given.keys.sort.map |$key| { "${key} = ${certlet::value($given[$key])}\n" }
  if $lines.empty and $title == 'agent' {
    ''
  } else {
    "[${title}]\n${lines.join}\n"
  }
}
