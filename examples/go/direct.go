package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Direct is the stream by hand, to be compared: each listener is a goroutine with a channel. Go does this well. What it
// lacks is in README.md: a message that comes while a listener is away is lost, and so is each one of before this
// program was started anew; a second copy of the program has other listeners; and a listener that is slow either blocks
// the publisher or, as here, loses messages.
type Direct struct {
	mutex     sync.Mutex
	listeners map[chan []byte]bool
}

func NewDirect() *Direct {
	return &Direct{listeners: map[chan []byte]bool{}}
}

func (d *Direct) Publish(message Message) {
	data, _ := json.Marshal(message) // one line: JSON has no line feeds in it
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for listener := range d.listeners {
		select {
		case listener <- data:
		default: // its channel is full
		}
	}
}

func (d *Direct) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok { // some middleware wraps the writer and forgets this
		http.Error(w, "no streaming here", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps the events until it has 8 kilobytes of them

	messages := make(chan []byte, 16)
	d.mutex.Lock()
	d.listeners[messages] = true
	d.mutex.Unlock()
	defer func() { // forgotten, this is the leak that kills such programs in the end
		d.mutex.Lock()
		delete(d.listeners, messages)
		d.mutex.Unlock()
	}()

	heartbeat := time.NewTicker(15 * time.Second)
	defer heartbeat.Stop()
	fmt.Fprint(w, "retry: 1000\n\n")
	for {
		flusher.Flush() // or net/http keeps what was written until it has 4 kilobytes
		select {
		case <-r.Context().Done(): // the listener has gone
			return
		case data := <-messages:
			fmt.Fprintf(w, "event: said\ndata: %s\n\n", data)
		case <-heartbeat.C:
			fmt.Fprint(w, ":\n") // a proxy takes a silent connection for dead
		}
	}
}
