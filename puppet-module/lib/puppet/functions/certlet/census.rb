# @api private
# @summary A number that changes with each resource that is added to the catalog, realized or evaluated
Puppet::Functions.create_function(:'certlet::census', Puppet::Functions::InternalFunction) do
  # @return [Integer] not counting certlet::whole
  dispatch :census do
    scope_param
    return_type 'Integer'
  end

  def census(scope)
    others = scope.compiler.resources.reject { |resource| resource.type == 'Certlet::Whole' }
    others.size + others.count { |resource| !resource.virtual? } + others.count(&:evaluated?)
  end
end
