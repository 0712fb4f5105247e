"""Where the provider's endpoints and the mock's results are."""

SUBMIT_PATH = "/api/v1/generateTask/"  # Followed by the model's id.
STATUS_PATH = "/api/v1/statusTask/"  # Followed by the model's id.
BALANCE_PATH = "/api/v1/apikeys/current-balance"
RESULTS_PREFIX = "/results/"
