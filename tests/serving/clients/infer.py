"""Runs with .venvs/kserve: Triton's client and KServe's ask a server about the model of its name."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]])
PORT, NAME = sys.argv[1:]
URL = f"http://127.0.0.1:{PORT}"


def by_triton() -> None:
    client = triton.InferenceServerClient(f"127.0.0.1:{PORT}")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(NAME)
    assert client.get_server_metadata()["name"] == "runyard"
    about = client.get_model_metadata(NAME)
    for is_binary in (True, False):
        tensor = triton.InferInput("x", list(ROWS.shape), "FP64")
        tensor.set_data_from_numpy(ROWS, binary_data=is_binary)
        for outputs in (None, [triton.InferRequestedOutput("output-0", binary_data=is_binary)]):
            answer = client.infer(NAME, [tensor], outputs=outputs, request_id="7")
            assert answer.as_numpy("output-0").tolist() == [0, 1, 2]
            assert answer.get_response()["id"] == "7"
    columns = []
    for place, each in enumerate(about["inputs"]):
        tensor = triton.InferInput(each["name"], [len(ROWS)], each["datatype"])
        tensor.set_data_from_numpy(ROWS[:, place].copy())
        columns.append(tensor)
    assert client.infer(NAME, columns).as_numpy("output-0").tolist() == [0, 1, 2]
    try:
        client.infer("roses", columns)
        said = "nothing"
    except triton.InferenceServerException as error:
        said = error.message()
    assert "the model 'roses' is not here" in said, said
    client.close()


async def by_kserve() -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    assert await client.is_server_live(URL)
    assert await client.is_server_ready(URL)
    assert await client.is_model_ready(URL, NAME)
    tensor = InferInput("x", list(ROWS.shape), "FP64")
    for is_binary in (True, False):
        tensor.set_data_from_numpy(ROWS, binary_data=is_binary)
        answer = await client.infer(URL, InferRequest(model_name=NAME, infer_inputs=[tensor]), model_name=NAME)
        assert answer.outputs[0].as_numpy().tolist() == [0, 1, 2]
    await client.close()


by_triton()
asyncio.run(by_kserve())
