"""Run by the environment `.venvs/deploy`: documents and versions of Kubernetes on stdin, what is wrong on stdout."""

from __future__ import annotations

import functools
import json
import sys
import warnings


def main() -> None:
    import kubernetes_validate
    from kubernetes_validate import utils

    warnings.simplefilter("ignore")
    # It would read all definitions of a version anew for each document.
    utils.schema_contents = functools.cache(utils.schema_contents)
    given = json.load(sys.stdin)
    complaints = []
    for version in given["versions"]:
        for document in given["documents"]:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                name = f"{document['kind']} {document['metadata']['name']}"
                complaints.append(f"Kubernetes {version}, {name}: {str(error).splitlines()[0]}")
    json.dump(complaints, sys.stdout)


if __name__ == "__main__":
    main()
