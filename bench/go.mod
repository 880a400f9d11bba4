module aiobench

go 1.19
