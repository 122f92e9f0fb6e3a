package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"ivrqueue/graph"
)

// maxBody is how many bytes the body of a request to one of the helpers may have.
const maxBody = 64 << 10

// readBody reads the body of a request to one of the helpers, which may be empty. It returns what
// is wrong, for the client; nothing if nothing is.
func readBody(w http.ResponseWriter, r *http.Request, v any) (wrong string) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Sprintf("The body could not be read, must have at most %d bytes. ", maxBody)
	}
	if len(data) > 0 {
		err = graph.ReadObject(data, v)
	}
	if err != nil {
		return err.Error() + " "
	}
	return ""
}

// refuse answers that a body is wrong, and how it must be.
func refuse(w http.ResponseWriter, r *http.Request, message string) {
	graph.WriteError(w, r, http.StatusBadRequest, "BadRequest", message)
}

// answer answers with JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone misses it
}
