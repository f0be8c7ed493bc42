# @api private
# @summary The settings of every certlet::certificate in the catalog, by name
Puppet::Functions.create_function(:'certlet::declared', Puppet::Functions::InternalFunction) do
  # @return [Hash] what was said of each; a value that was not given is left out
  dispatch :declared do
    scope_param
    return_type 'Hash'
  end

  def declared(scope)
    found = scope.compiler.resources.select { |resource| resource.type == 'Certlet::Certificate' && !resource.virtual }
    found.to_h { |resource| [resource.title, settings_of(resource)] }
  end

  def settings_of(resource)
    resource.to_hash.reject { |name, value| name == :name || Puppet::Type.metaparam?(name) || value.nil? || value == :undef }
            .transform_keys(&:to_s)
  end
end
