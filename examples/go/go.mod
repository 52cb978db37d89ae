module freshet.example/messages

go 1.19
