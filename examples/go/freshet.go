package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Freshet is all that a Go program needs to publish.
type Freshet struct {
	URL, Token string
}

const attempts = 6

// Publish publishes an event and returns its id. A freshet that is away or busy is asked again for a while, by the same
// Idempotency-Key: if only the answer was lost, the event is not published twice.
func (f *Freshet) Publish(ctx context.Context, topic, kind string, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		return "", err
	}
	for attempt := 1; ; attempt++ {
		id, again, err := f.post(ctx, topic, kind, fmt.Sprintf("%x", key), data)
		if err == nil || !again || attempt == attempts {
			return id, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond << attempt):
		}
	}
}

// post asks once; again says whether asking another time may help.
func (f *Freshet) post(ctx context.Context, topic, kind, key string, data []byte) (id string, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	address := f.URL + "/events/" + url.PathEscape(topic) + "?event=" + url.QueryEscape(kind)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", `"`+key+`"`)
	if f.Token != "" {
		request.Header.Set("Authorization", "Bearer "+f.Token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", true, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", true, err
	}
	if response.StatusCode != http.StatusOK {
		again = response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
		return "", again, fmt.Errorf("freshet: %s: %s", response.Status, body)
	}
	var answer struct{ ID string }
	err = json.Unmarshal(body, &answer)
	return answer.ID, false, err
}
