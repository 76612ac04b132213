module example.com/tokenpair/verifier

go 1.19
