"""The links of the document: which responses contain the parameters of other calls."""

from typing import Any

Json = dict[str, Any]

_OF_FIRST = {"task_id": "$response.body#/tasks/0/task_id"}
_OF_SAME = {"task_id": "$request.path.task_id"}
_LINKS = {
    "getTasks": {
        "getTasksTaskId": _OF_FIRST,
        "getTasksTaskIdWait": _OF_FIRST,
        "postTasksTaskIdFinish": _OF_FIRST,
    },
    "getTasksTaskId": {"postTasksTaskIdFinish": _OF_SAME},
    "postTasksTaskIdFinish": {"getTasksTaskId": _OF_SAME},
}


def links_of(operation_id: str) -> Json:
    """Return the links of a successful response by name; empty for most operations."""
    return {
        followed: {"operationId": followed, "parameters": given}
        for followed, given in _LINKS.get(operation_id, {}).items()
    }
