# @api private
# @summary Whether a defined type is still to be evaluated that could declare a certificate
Puppet::Functions.create_function(:'certlet::pending', Puppet::Functions::InternalFunction) do
  # @return [Boolean] not counting certlet's own
  dispatch :pending do
    scope_param
    return_type 'Boolean'
  end

  def pending(scope)
    scope.compiler.resources.any? do |resource|
      resource.resource_type.is_a?(Puppet::Resource::Type) && !resource.evaluated? && !resource.virtual? &&
        !resource.type.start_with?('Certlet::')
    end
  end
end
