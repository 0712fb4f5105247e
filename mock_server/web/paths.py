"""The paths of the provider's endpoints and of the results."""

SUBMIT_PATH = "/api/v1/generateTask/"  # Followed by the model's id.
STATUS_PATH = "/api/v1/statusTask/"  # Followed by the model's id.
BALANCE_PATH = "/api/v1/apikeys/current-balance"
RESULTS_PREFIX = "/results/"
