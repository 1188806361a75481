# SPDX-License-Identifier: Apache-2.0
# One cross-validation by cv.glmnet: Rscript glmnet.R DATA ROWS COLS LAMBDA,...
# Prints one line of JSON after "bench:".
suppressMessages(library(glmnet))
a <- commandArgs(TRUE)
rows <- as.integer(a[2]); cols <- as.integer(a[3])
read <- function(name, ...) { f <- file(paste0(a[1], name), "rb"); v <- readBin(f, ...); close(f); v }
x <- matrix(read(".x", "numeric", rows * cols, size = 4), rows, cols, byrow = TRUE)
y <- read(".y", "integer", rows, size = 1)
# glmnet's loss is a mean.
lambdas <- as.numeric(strsplit(a[4], ",")[[1]]) / rows
fold <- findInterval(0:(rows - 1), floor(rows * (0:4) / 5))
before <- proc.time()
k <- cv.glmnet(x, y, family = "binomial", alpha = 0, lambda = lambdas, standardize = FALSE, foldid = fold,
  type.measure = "deviance")
used <- proc.time() - before
cat(sprintf('bench: {"CPU": %.4f, "Losses": [%s]}\n', used[1] + used[2], paste(format(k$cvm / 2, digits = 15), collapse = ",")))
