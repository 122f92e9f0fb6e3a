package ari

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// do makes a request and returns the status of the answer, zero if there is none, and an error if
// it is not one of success.
func (c *Client) do(ctx context.Context, method, path string) (int, error) {
	address := strings.TrimRight(c.base.String(), "/") + path
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ari: %w", err)
	}
	req.SetBasicAuth(c.config.User, c.config.Password)
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ari: %w", err)
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxBody) // so that the connection can be used again
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		path, _, _ = strings.Cut(path, "?")
		err = fmt.Errorf("ari: %s %s: %.100s", method, path, answer.Status)
	}
	return answer.StatusCode, err
}
