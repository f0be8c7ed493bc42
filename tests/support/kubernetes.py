"""
What two operators make of a Kubernetes manifest, without a cluster.

    documents(path)                    the objects of a YAML file
    name_of(document)                  (apiVersion, kind)
    complaints(document, schemas)      what the API server would not take: unknown fields, wrong types, what is missing
    KNOWN                              {(apiVersion, kind): schema}: the fields that our manifests use, in our own words, of
                                       External Secrets Operator v2.9.0 and Tuenti secrets-manager v2.1.0
    definitions(directory)             the same from the operators' own CustomResourceDefinitions, each whole
    contradictions(known, definition)  where our own words are not theirs

The definitions are theirs and too large for this tree (0.7 MB each). bootstrap fetches those of External Secrets Operator v0.16.2
(operators.py), an early one with external-secrets.io/v1: what they and KNOWN have in common holds for an old and for a new one. Tuenti
secrets-manager's are in no Go module: of it there is only what is written down here, unless somebody has the definitions of both, in
any directory: CERTLET_CRDS=DIRECTORY ./bootstrap check tests/system/test_86_outside.py
"""

import jsonschema
import yaml


def closed(required=(), **fields):
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def listed(item):
    return {"type": "array", "items": item}


def one_of(*words):
    return {"type": "string", "enum": list(words)}


TEXT = {"type": "string"}
META = {"type": "object"}
SECRET_KEY = closed(name=TEXT, namespace=TEXT, key=TEXT)

STORE = closed(
    ["provider"],
    conditions=listed(closed(namespaces=listed(TEXT))),
    provider=closed(vault=closed(
        ["server"],
        server=TEXT, path=TEXT, version=one_of("v1", "v2"), namespace=TEXT,
        caProvider=closed(["name", "type"], type=one_of("Secret", "ConfigMap"), name=TEXT, namespace=TEXT, key=TEXT),
        auth=closed(appRole=closed(["path", "secretRef"], path=TEXT, roleId=TEXT, roleRef=SECRET_KEY, secretRef=SECRET_KEY)))))

EXTERNAL_SECRET = closed(
    refreshInterval=TEXT,
    secretStoreRef=closed(kind=one_of("SecretStore", "ClusterSecretStore"), name=TEXT),
    dataFrom=listed(closed(extract=closed(["key"], key=TEXT))),
    target=closed(
        name=TEXT,
        deletionPolicy=one_of("Delete", "Merge", "Retain"),
        template=closed(type=TEXT, data={"type": "object", "additionalProperties": TEXT})))

SECRET_DEFINITION = closed(
    ["keysMap", "name"],
    name=TEXT, type=TEXT,
    keysMap={"type": "object", "additionalProperties": closed(["key", "path"], path=TEXT, key=TEXT, encoding=TEXT)})


def whole(spec):
    return closed(["apiVersion", "kind", "metadata", "spec"], apiVersion=TEXT, kind=TEXT, metadata=META, spec=spec)


KNOWN = {
    ("external-secrets.io/v1", "SecretStore"): whole(STORE),
    ("external-secrets.io/v1", "ClusterSecretStore"): whole(STORE),
    ("external-secrets.io/v1", "ExternalSecret"): whole(EXTERNAL_SECRET),
    ("secrets-manager.tuenti.io/v1alpha1", "SecretDefinition"): whole(SECRET_DEFINITION),
}


def documents(path):
    return list(yaml.safe_load_all(path.read_text()))


def name_of(document):
    return document["apiVersion"], document["kind"]


def complaints(document, schemas):
    schema = schemas.get(name_of(document))
    if schema is None:
        return [f"no definition of {document['apiVersion']} {document['kind']}"]
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def definitions(directory):
    found = {}
    for path in sorted(directory.rglob("*.y*ml")):
        for document in documents(path):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    name = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    found[name] = strict(version["schema"]["openAPIV3Schema"])
    return found


def strict(schema):
    """As the API server with fieldValidation=Strict: what a definition does not name is an error."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: {name: strict(field) for name, field in value.items()} if key == "properties" else strict(value)
            for key, value in schema.items()}
    if "properties" in made and made.get("type") == "object" and "additionalProperties" not in made \
            and not made.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    return made


def contradictions(known, definition, where="$"):
    if known.get("type") != definition.get("type"):
        return [f"{where}: type {definition.get('type')}"]
    found = []
    if sorted(known.get("enum", [])) != sorted(definition.get("enum", [])) and "enum" in known:
        found.append(f"{where}: one of {definition.get('enum')}")
    if where.startswith("$.spec") and "properties" in known and set(definition.get("required", [])) - set(known["required"]):
        found.append(f"{where}: required {definition['required']}")
    for name, field in known.get("properties", {}).items():
        theirs = definition.get("properties", {}).get(name)
        found += [f"{where}.{name}: not there"] if theirs is None else contradictions(field, theirs, f"{where}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(known.get(inner), dict):
            found += contradictions(known[inner], definition.get(inner) or {}, f"{where}[]")
    return found
