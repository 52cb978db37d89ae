// A page with a form. What is sent with it is published, and everybody who has the page open sees it: this program hands
// the event to freshet with one request and is done, however many people listen. Beside it, at /direct, the same stream
// by hand.
package main

import (
	_ "embed"
	"fmt"
	"html"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

//go:embed page.html
var page string

// Message is what the page shows.
type Message struct {
	Text string `json:"text"`
	At   int64  `json:"at"`
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	freshet := &Freshet{
		URL:   environment("FRESHET_URL", "http://127.0.0.1:8042"),
		Token: os.Getenv("FRESHET_TOKEN"), // one that may publish to `messages`, if freshet asks for it
	}
	direct := NewDirect()
	filled := strings.NewReplacer("{{freshet}}", html.EscapeString(freshet.URL), "{{direct}}", "/direct").Replace(page)

	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, filled)
	})
	mux.HandleFunc("/say", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, "POST it", http.StatusMethodNotAllowed)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 10_000)
		message := Message{Text: r.FormValue("text"), At: time.Now().UnixMilli()}
		direct.Publish(message)
		if _, err := freshet.Publish(r.Context(), "messages", "said", message); err != nil {
			log.Print(err)
			http.Error(w, "freshet does not answer", http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle("/direct", direct)

	listener, err := net.Listen("tcp", "127.0.0.1:"+environment("PORT", "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	// No WriteTimeout: it counts from the head of a request, and would cut each stream at that age.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}
