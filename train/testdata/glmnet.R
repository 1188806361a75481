# SPDX-License-Identifier: Apache-2.0
# Ridge-penalised logistic regressions of glm.csv (made by peers.py, seed there)
# by R's glmnet, for package train. glmnet minimises
#   1/n sum(loss) + lambda/2 |weights|^2,
# Holdfast the sum of the losses and lambda/2 |weights|^2: its penalty is n times
# glmnet's. Columns are standardised already and are left as they are. Rows get the
# weights 1, 1/2 and 1/3 in turn; glmnet scales weights to the sum n, so there n is
# the sum of the weights. Writes glmnet_fit.csv. Run from this folder: Rscript glmnet.R
# Made with R 4.2.2, glmnet 4.1.6.
suppressMessages(library(glmnet))
d <- read.csv("glm.csv")
x <- as.matrix(d[, setdiff(names(d), "y")])
weights <- list(even = rep(1, nrow(d)), uneven = 1 / (1 + (seq_len(nrow(d)) - 1) %% 3))
out <- NULL
for (w in names(weights)) for (lambda in c(100, 10, 1, 0.1)) {
  n <- sum(weights[[w]])
  m <- glmnet(x, d$y, family = "binomial", alpha = 0, lambda = lambda / n, weights = weights[[w]],
              standardize = FALSE, thresh = 1e-22, maxit = 1e7)
  b <- as.matrix(coef(m))[, 1]
  out <- rbind(out, data.frame(weights = w, lambda = lambda, column = names(b), estimate = sprintf("%.12g", b)))
}
write.csv(out, "glmnet_fit.csv", row.names = FALSE, quote = FALSE)
