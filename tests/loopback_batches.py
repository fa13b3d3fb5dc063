"""The loopback server's files and batches, as OpenAI's batch API has them."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web
from loopback_oddities import change
from loopback_replies import digest, error

if TYPE_CHECKING:
    from loopback_server import Loopback


class BatchApi:
    """Handlers; their state is in the server, which may be reset."""

    def __init__(self, server: "Loopback") -> None:
        self.server = server

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create_batch)
        app.router.add_get("/v1/batches", self.list_batches)
        app.router.add_get("/v1/batches/{id}", self.get_batch)
        app.router.add_post("/v1/batches/{id}/cancel", self.cancel_batch)

    async def upload(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.server.config.upload_seconds)
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        return web.json_response(self.store(file.file.read().decode()))

    def store(self, text: str) -> dict[str, Any]:
        name = f"file-{len(self.server.files) + 1}"
        self.server.files[name] = text
        return {
            "id": name,
            "object": "file",
            "bytes": len(text),
            "created_at": 1767225600,
            "filename": "batch.jsonl",
            "purpose": "batch",
            "status": "processed",
        }

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(text=self.server.files[request.match_info["id"]])

    async def create_batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = f"batch_{len(self.server.batches) + 1}"
        lines = self.server.files[body["input_file_id"]].splitlines()
        self.server.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "created_at": 1767225600,
            "status": "in_progress",
            "metadata": body.get("metadata"),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "items": len(lines),
            "due": time.monotonic() + self.server.config.batch_seconds,
        }
        await asyncio.sleep(self.server.config.batch_answer_seconds)
        if len(self.server.batches) <= self.server.config.batches_unanswered:
            assert request.transport
            request.transport.abort()
        nameless = {} if self.server.config.batch_id else {"id": None}
        return web.json_response(self.show(name) | nameless)

    async def list_batches(self, _: web.Request) -> web.Response:
        rows = [self.show(name) for name in self.server.batches]
        return web.json_response({"object": "list", "data": rows, "has_more": False})

    async def get_batch(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.server.batches:
            return error(404, f"No batch found with id '{name}'.", None)
        batch = self.server.batches[name]
        if batch["status"] in ("in_progress", "cancelling") and time.monotonic() >= batch["due"]:
            self.finish(batch)
        return web.json_response(self.show(name))

    async def cancel_batch(self, request: web.Request) -> web.Response:
        batch = self.server.batches[request.match_info["id"]]
        if batch["status"] != "in_progress":
            return error(409, f"Cannot cancel a batch with status '{batch['status']}'.", None)
        batch |= {
            "status": "cancelling",
            "due": time.monotonic() + self.server.config.cancel_seconds,
        }
        return web.json_response(self.show(batch["id"]))

    def finish(self, batch: dict[str, Any]) -> None:
        """Answer a batch's items; of a cancelled one the first half was answered already."""
        done, failed = [], []
        cancelled = batch["status"] == "cancelling"
        lines = self.server.files[batch["input_file_id"]].splitlines()
        for line in lines[: len(lines) // 2] if cancelled else lines:
            item = json.loads(line)
            row: dict[str, Any] = {"id": "x", "custom_id": item["custom_id"], "error": None}
            point = self.server.random.random()
            if point < self.server.config.batch_expires:
                row |= {"response": None, "error": {"code": "batch_expired", "message": "late"}}
                failed.append(row)
            elif point < self.server.config.batch_expires + self.server.config.batch_fails:
                row["response"] = {"status_code": 500, "body": {"error": {"message": "oops"}}}
                failed.append(row)
            else:
                body = self.server.answer(item["body"], batch["endpoint"])
                asked = digest(json.dumps(item["body"]))
                if kind := self.server.draw(asked):
                    body = change(kind, body)
                self.server.served[asked] += 1
                row["response"] = {"status_code": 200, "request_id": "r", "body": body}
                done.append(row)
        self.server.random.shuffle(done)  # the API promises no order
        ended = "expired" if self.server.config.batch_expires else "completed"
        batch["status"] = "cancelled" if cancelled else ended
        for field_name, rows in (("output_file_id", done), ("error_file_id", failed)):
            if rows:
                batch[field_name] = self.store("".join(json.dumps(row) + "\n" for row in rows))[
                    "id"
                ]

    def show(self, name: str) -> dict[str, Any]:
        return {k: v for k, v in self.server.batches[name].items() if k not in ("items", "due")}
