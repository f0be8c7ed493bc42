# @api private
# @summary Fails when the run that a change asked for did: so it is seen in the report, and holds up nobody
class certlet::outcome {
  certlet_outcome { 'certlet': }
}
