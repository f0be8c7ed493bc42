# @api private
# @summary A value as it stands in the manifest
#
# A list goes on on indented lines, since a line of the manifest ends at 198 bytes.
# @param value A setting of Hiera's
# @return its text
function certlet::value(NotUndef $value) >> String {
  $value ? {
    true    => 'yes',
    false   => 'no',
    Array   => $value.join("\n\t"),
    Hash    => $value.keys.sort.map |$key| { "${key}:${value[$key]}" }.join("\n\t"),
    default => String($value),
  }
}
