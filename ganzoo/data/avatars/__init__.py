"""Pictures that the DiceBear packages draw: which styles, how one is drawn, and the data sets of them."""
