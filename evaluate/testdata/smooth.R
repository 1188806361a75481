# SPDX-License-Identifier: Apache-2.0
# What R says of ICI and E90, and of the isotonic fit, for the cases of peers.json without
# weights; writes smooth_r.json. Run after peers.py:  Rscript smooth.R
# Made with R 4.2.2, rms 6.5-0, jsonlite 1.8.4. lowess is given each tied p's mean outcome,
# because with ties its own result depends on the order of rows.
suppressMessages({library(jsonlite); library(rms)})
cases <- fromJSON("peers.json", simplifyDataFrame = FALSE)
out <- list()
for (k in cases) {
  if (!is.null(k$w)) next
  row <- list(name = k$name)
  if (length(unique(k$p)) > 1) {
    y <- ave(k$y, k$p)
    sm <- lowess(k$p, y, iter = 0)
    err <- abs(k$p - approx(sm, xout = k$p, ties = mean)$y)
    row$ici <- mean(err)
    row$e90 <- unname(quantile(err, 0.9))
  } else {
    row$ici <- row$e90 <- abs(k$p[1] - mean(k$y))
  }
  o <- order(k$p)
  q <- numeric(length(o))
  q[o] <- isoreg(seq_along(o), ave(k$y, k$p)[o])$yf
  row$mcb <- mean((k$p - k$y)^2) - mean((q - k$y)^2)
  row$dsc <- mean((mean(k$y) - k$y)^2) - mean((q - k$y)^2)
  if (length(unique(k$y)) == 2 && !any(duplicated(k$p)) && length(k$p) > 10 && min(k$p) > 0 && max(k$p) < 1) {
    v <- val.prob(k$p, k$y, pl = FALSE)
    row$val_prob <- list(ici = v[["Eavg"]], e90 = v[["E90"]])
  }
  out[[length(out) + 1]] <- row
}
write(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null"), "smooth_r.json")
