module stackful/bench/peers/go

go 1.19
