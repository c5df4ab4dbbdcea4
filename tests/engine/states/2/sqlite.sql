BEGIN TRANSACTION;
CREATE TABLE customers (customer_id integer, email varchar(100), first_name varchar(100), opted_out boolean, plan varchar(20));
INSERT INTO "customers" VALUES(1,'customer1@example.com','Name 1',0,'free');
INSERT INTO "customers" VALUES(2,'customer2@example.com','Name 2',1,'free');
INSERT INTO "customers" VALUES(3,'not an address','Name 3',0,'free');
INSERT INTO "customers" VALUES(4,'customer4@example.com','Name 4',0,'free');
INSERT INTO "customers" VALUES(6,'customer6@example.com','Changed',0,'free');
INSERT INTO "customers" VALUES(7,'customer7@example.com','Name 7',0,'free');
INSERT INTO "customers" VALUES(8,'customer8@example.com','Name 8',0,'free');
INSERT INTO "customers" VALUES(9,'customer9@example.com','Name 9',0,'free');
INSERT INTO "customers" VALUES(10,'customer10@example.com','Name 10',0,'free');
INSERT INTO "customers" VALUES(11,'customer11@example.com','Name 11',0,'free');
INSERT INTO "customers" VALUES(12,'customer12@example.com','Name 12',0,'free');
INSERT INTO "customers" VALUES(13,'customer13@example.com','Name 13',0,'free');
INSERT INTO "customers" VALUES(14,'customer14@example.com','Name 14',0,'free');
INSERT INTO "customers" VALUES(15,'customer15@example.com','Name 15',0,'free');
INSERT INTO "customers" VALUES(16,'customer16@example.com','Name 16',0,'free');
INSERT INTO "customers" VALUES(17,'customer17@example.com','Name 17',0,'free');
INSERT INTO "customers" VALUES(18,'customer18@example.com','Name 18',0,'free');
INSERT INTO "customers" VALUES(19,'customer19@example.com','Name 19',0,'free');
INSERT INTO "customers" VALUES(20,'customer20@example.com','Name 20',0,'free');
INSERT INTO "customers" VALUES(21,'customer21@example.com','Name 21',0,'free');
INSERT INTO "customers" VALUES(22,'customer22@example.com','Name 22',0,'free');
INSERT INTO "customers" VALUES(23,'customer23@example.com','Name 23',0,'free');
INSERT INTO "customers" VALUES(24,'customer24@example.com','Name 24',0,'free');
INSERT INTO "customers" VALUES(25,'customer25@example.com','Name 25',0,'free');
INSERT INTO "customers" VALUES(26,'customer26@example.com','Name 26',0,'free');
INSERT INTO "customers" VALUES(27,'customer27@example.com','Name 27',0,'free');
INSERT INTO "customers" VALUES(28,'customer28@example.com','Name 28',0,'free');
INSERT INTO "customers" VALUES(29,'customer29@example.com','Name 29',0,'free');
INSERT INTO "customers" VALUES(30,'customer30@example.com','Name 30',0,'free');
INSERT INTO "customers" VALUES(31,'customer31@example.com','Name 31',0,'free');
INSERT INTO "customers" VALUES(32,'customer32@example.com','Name 32',0,'free');
INSERT INTO "customers" VALUES(33,'customer33@example.com','Name 33',0,'free');
INSERT INTO "customers" VALUES(34,'customer34@example.com','Name 34',0,'free');
INSERT INTO "customers" VALUES(35,'customer35@example.com','Name 35',0,'free');
INSERT INTO "customers" VALUES(36,'customer36@example.com','Name 36',0,'free');
INSERT INTO "customers" VALUES(37,'customer37@example.com','Name 37',0,'free');
INSERT INTO "customers" VALUES(38,'customer38@example.com','Name 38',0,'free');
INSERT INTO "customers" VALUES(39,'customer39@example.com','Name 39',0,'free');
INSERT INTO "customers" VALUES(40,'customer40@example.com','Name 40',0,'free');
INSERT INTO "customers" VALUES(41,'customer41@example.com','Name 41',0,'free');
INSERT INTO "customers" VALUES(42,'customer42@example.com','Name 42',0,'free');
INSERT INTO "customers" VALUES(43,'customer43@example.com','Name 43',0,'free');
INSERT INTO "customers" VALUES(44,'customer44@example.com','Name 44',0,'free');
INSERT INTO "customers" VALUES(45,'customer45@example.com','Name 45',0,'free');
INSERT INTO "customers" VALUES(46,'customer46@example.com','Name 46',0,'free');
INSERT INTO "customers" VALUES(47,'customer47@example.com','Name 47',0,'free');
INSERT INTO "customers" VALUES(48,'customer48@example.com','Name 48',0,'free');
INSERT INTO "customers" VALUES(49,'customer49@example.com','Name 49',0,'free');
INSERT INTO "customers" VALUES(50,'customer50@example.com','Name 50',0,'free');
INSERT INTO "customers" VALUES(51,'customer51@example.com','Name 51',0,'free');
INSERT INTO "customers" VALUES(52,'customer52@example.com','Name 52',0,'free');
INSERT INTO "customers" VALUES(53,'customer53@example.com','Name 53',0,'free');
INSERT INTO "customers" VALUES(54,'customer54@example.com','Name 54',0,'free');
INSERT INTO "customers" VALUES(55,'customer55@example.com','Name 55',0,'free');
INSERT INTO "customers" VALUES(56,'customer56@example.com','Name 56',0,'free');
INSERT INTO "customers" VALUES(57,'customer57@example.com','Name 57',0,'free');
INSERT INTO "customers" VALUES(58,'customer58@example.com','Name 58',0,'free');
INSERT INTO "customers" VALUES(59,'customer59@example.com','Name 59',0,'free');
INSERT INTO "customers" VALUES(60,'customer60@example.com','Name 60',0,'free');
CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	customer_id  NOT NULL, 
	operation TEXT, 
	partition_value TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	is_new BOOLEAN, 
	replaces BOOLEAN, 
	identity_changed BOOLEAN, 
	rekeyed BOOLEAN, 
	reactivates BOOLEAN, 
	dsid TEXT, 
	priority BIGINT, 
	waits_for BIGINT, 
	field_email , 
	"field_firstName" , 
	"field_optOutEmail" , 
	custom_plan , 
	differs_field_email BOOLEAN, 
	"differs_field_firstName" BOOLEAN, 
	"differs_field_optOutEmail" BOOLEAN, 
	differs_custom_plan BOOLEAN, 
	outcome TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at DATETIME, 
	PRIMARY KEY (plan_id, sequence)
);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',1,1,'create',NULL,'customer1@example.com',NULL,1,1,0,NULL,0,'4899420d4692ee9092ed2f6622e9ca07',1,NULL,'customer1@example.com','Name 1',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.421707');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',2,2,'create',NULL,'customer2@example.com',NULL,1,1,0,NULL,0,'cfc4784bb5894ff38d3ebc1eaa2e86ea',0,NULL,'customer2@example.com','Name 2',1,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.349987');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',4,4,'create',NULL,'customer4@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer4@example.com','Name 4',0,'free',1,1,1,1,'rejected','refused','DailyStory refused the request (400): An error has occurred',1,'2026-11-28 20:27:31.451381');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',5,5,'create',NULL,'customer5@example.com',NULL,1,1,0,NULL,0,'758cac912cb807c3fe1ae416067a4408',1,NULL,'customer5@example.com','Name 5',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.469634');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',6,6,'create',NULL,'customer6@example.com',NULL,1,1,0,NULL,0,'5e6ef176ac44827297aade0df23b1cc6',1,NULL,'customer6@example.com','Name 6',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.476095');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',7,7,'create',NULL,'customer7@example.com',NULL,1,1,0,NULL,0,'ffc209c7538fc870fd3393e38b303f3d',1,NULL,'customer7@example.com','Name 7',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.487190');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',8,8,'create',NULL,'customer8@example.com',NULL,1,1,0,NULL,0,'2256117fa7df412d8229e7ff063f4b0f',1,NULL,'customer8@example.com','Name 8',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.499034');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',9,9,'create',NULL,'customer9@example.com',NULL,1,1,0,NULL,0,'015da220efc7745d550f04e1dfd0891e',1,NULL,'customer9@example.com','Name 9',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.506648');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',10,10,'create',NULL,'customer10@example.com',NULL,1,1,0,NULL,0,'6519188ed0b3a09b3308b79d3589a852',1,NULL,'customer10@example.com','Name 10',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.510771');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',11,11,'create',NULL,'customer11@example.com',NULL,1,1,0,NULL,0,'3976a63be5d1eb1410bf1618bac20f69',1,NULL,'customer11@example.com','Name 11',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.521912');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',12,12,'create',NULL,'customer12@example.com',NULL,1,1,0,NULL,0,'43e8666091adb44339d12d6a28037d5c',1,NULL,'customer12@example.com','Name 12',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.526524');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',13,13,'create',NULL,'customer13@example.com',NULL,1,1,0,NULL,0,'62095f890ae6e9eb6599f6db93adba6b',1,NULL,'customer13@example.com','Name 13',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.545343');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',14,14,'create',NULL,'customer14@example.com',NULL,1,1,0,NULL,0,'0a43612a24ddb3f106e09c606a3bb6c7',1,NULL,'customer14@example.com','Name 14',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.561738');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',15,15,'create',NULL,'customer15@example.com',NULL,1,1,0,NULL,0,'957f095e2a3251fb22351c2f17f2adf9',1,NULL,'customer15@example.com','Name 15',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.565297');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',16,16,'create',NULL,'customer16@example.com',NULL,1,1,0,NULL,0,'0047b8181d3c6b2bfba96a56e5bb2667',1,NULL,'customer16@example.com','Name 16',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.581804');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',17,17,'create',NULL,'customer17@example.com',NULL,1,1,0,NULL,0,'5f6bcb7a7ffe8433720f1e5f079d2e6a',1,NULL,'customer17@example.com','Name 17',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.590473');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',18,18,'create',NULL,'customer18@example.com',NULL,1,1,0,NULL,0,'08c3f7afd981c42831db0a0c630f0895',1,NULL,'customer18@example.com','Name 18',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.605361');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',19,19,'create',NULL,'customer19@example.com',NULL,1,1,0,NULL,0,'df7694311921457bf749844a1e8a355c',1,NULL,'customer19@example.com','Name 19',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.618480');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',20,20,'create',NULL,'customer20@example.com',NULL,1,1,0,NULL,0,'cc635bccd02d2291bbe84e0ba3e19348',1,NULL,'customer20@example.com','Name 20',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.637822');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',21,21,'create',NULL,'customer21@example.com',NULL,1,1,0,NULL,0,'c2cd33b65678a3125995e256d7b0a0af',1,NULL,'customer21@example.com','Name 21',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.644202');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',22,22,'create',NULL,'customer22@example.com',NULL,1,1,0,NULL,0,'0c4319df0444f3eb01e49b5f889a2ee7',1,NULL,'customer22@example.com','Name 22',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.665738');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',23,23,'create',NULL,'customer23@example.com',NULL,1,1,0,NULL,0,'a891a709dc36ea9a1fec95a7d8ed2318',1,NULL,'customer23@example.com','Name 23',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.667745');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',24,24,'create',NULL,'customer24@example.com',NULL,1,1,0,NULL,0,'3948bcd8bc07af9dcffcc9f0d47029a9',1,NULL,'customer24@example.com','Name 24',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.682728');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',25,25,'create',NULL,'customer25@example.com',NULL,1,1,0,NULL,0,'c3d83b54d168de2b39de3d759dcc9133',1,NULL,'customer25@example.com','Name 25',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.693709');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',26,26,'create',NULL,'customer26@example.com',NULL,1,1,0,NULL,0,'a0c01534794d1ee823c784d5377b9084',1,NULL,'customer26@example.com','Name 26',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.702723');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',27,27,'create',NULL,'customer27@example.com',NULL,1,1,0,NULL,0,'c0043da640b5e75b9733008f37806ddb',1,NULL,'customer27@example.com','Name 27',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.717480');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',28,28,'create',NULL,'customer28@example.com',NULL,1,1,0,NULL,0,'43f94392c87be94b02cc4eb25262f32a',1,NULL,'customer28@example.com','Name 28',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.729753');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',29,29,'create',NULL,'customer29@example.com',NULL,1,1,0,NULL,0,'cbdf17eafae0e7a194fa9763663fbf29',1,NULL,'customer29@example.com','Name 29',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.745833');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202730065523-476e',30,30,'create',NULL,'customer30@example.com',NULL,1,1,0,NULL,0,'0d4aa6917cea58b5a752e737cb084f81',1,NULL,'customer30@example.com','Name 30',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:31.758777');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202732552667-5d4d',3,6,'update',NULL,'customer6@example.com',NULL,0,0,0,NULL,0,'5e6ef176ac44827297aade0df23b1cc6',1,NULL,'customer6@example.com','Changed',0,'free',0,1,0,0,'updated',NULL,NULL,1,'2026-11-28 20:27:33.669409');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202732552667-5d4d',4,5,'delete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'758cac912cb807c3fe1ae416067a4408',1000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'deleted',NULL,NULL,1,'2026-11-28 20:27:34.089539');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',3,31,'create',NULL,'customer31@example.com',NULL,1,1,0,NULL,0,'8b58d34182b3b06c0db2ad5ce66540ff',1,NULL,'customer31@example.com','Name 31',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:50.429896');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',4,32,'create',NULL,'customer32@example.com',NULL,1,1,0,NULL,0,'b32ba04ef12a0c7a189959cb2f04f6c2',1,NULL,'customer32@example.com','Name 32',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:50.431061');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',5,33,'create',NULL,'customer33@example.com',NULL,1,1,0,NULL,0,'e7c47a33ff60817f75ab3170ddfabcf8',1,NULL,'customer33@example.com','Name 33',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:50.431874');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',6,34,'create',NULL,'customer34@example.com',NULL,1,1,0,NULL,0,'86392517686dd93b67a390873cc0b634',1,NULL,'customer34@example.com','Name 34',0,'free',1,1,1,1,'created',NULL,NULL,1,'2026-11-28 20:27:50.432568');
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',7,35,'create',NULL,'customer35@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer35@example.com','Name 35',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',8,36,'create',NULL,'customer36@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer36@example.com','Name 36',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',9,37,'create',NULL,'customer37@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer37@example.com','Name 37',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',10,38,'create',NULL,'customer38@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer38@example.com','Name 38',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',11,39,'create',NULL,'customer39@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer39@example.com','Name 39',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',12,40,'create',NULL,'customer40@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer40@example.com','Name 40',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',13,41,'create',NULL,'customer41@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer41@example.com','Name 41',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',14,42,'create',NULL,'customer42@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer42@example.com','Name 42',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',15,43,'create',NULL,'customer43@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer43@example.com','Name 43',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',16,44,'create',NULL,'customer44@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer44@example.com','Name 44',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',17,45,'create',NULL,'customer45@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer45@example.com','Name 45',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',18,46,'create',NULL,'customer46@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer46@example.com','Name 46',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',19,47,'create',NULL,'customer47@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer47@example.com','Name 47',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',20,48,'create',NULL,'customer48@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer48@example.com','Name 48',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',21,49,'create',NULL,'customer49@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer49@example.com','Name 49',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',22,50,'create',NULL,'customer50@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer50@example.com','Name 50',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',23,51,'create',NULL,'customer51@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer51@example.com','Name 51',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',24,52,'create',NULL,'customer52@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer52@example.com','Name 52',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',25,53,'create',NULL,'customer53@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer53@example.com','Name 53',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',26,54,'create',NULL,'customer54@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer54@example.com','Name 54',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',27,55,'create',NULL,'customer55@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer55@example.com','Name 55',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',28,56,'create',NULL,'customer56@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer56@example.com','Name 56',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',29,57,'create',NULL,'customer57@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer57@example.com','Name 57',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',30,58,'create',NULL,'customer58@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer58@example.com','Name 58',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',31,59,'create',NULL,'customer59@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer59@example.com','Name 59',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "dailystory_customers_changes" VALUES('20261128T202748612166-5359',32,60,'create',NULL,'customer60@example.com',NULL,1,1,0,NULL,0,NULL,1,NULL,'customer60@example.com','Name 60',0,'free',1,1,1,1,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE dailystory_customers_contact_map (
	customer_id  NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at DATETIME, 
	last_synced_at DATETIME, 
	deactivated_at DATETIME, 
	deleted_at DATETIME, 
	PRIMARY KEY (customer_id)
);
INSERT INTO "dailystory_customers_contact_map" VALUES(1,'4899420d4692ee9092ed2f6622e9ca07','2026-11-28 20:27:31.421707','2026-11-28 20:27:31.421707',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(2,'cfc4784bb5894ff38d3ebc1eaa2e86ea','2026-11-28 20:27:31.349987','2026-11-28 20:27:31.349987',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(5,'758cac912cb807c3fe1ae416067a4408','2026-11-28 20:27:31.469634','2026-11-28 20:27:31.469634','2026-11-28 20:27:34.089539',NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(6,'5e6ef176ac44827297aade0df23b1cc6','2026-11-28 20:27:31.476095','2026-11-28 20:27:33.669409',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(7,'ffc209c7538fc870fd3393e38b303f3d','2026-11-28 20:27:31.487190','2026-11-28 20:27:31.487190',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(8,'2256117fa7df412d8229e7ff063f4b0f','2026-11-28 20:27:31.499034','2026-11-28 20:27:31.499034',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(9,'015da220efc7745d550f04e1dfd0891e','2026-11-28 20:27:31.506648','2026-11-28 20:27:31.506648',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(10,'6519188ed0b3a09b3308b79d3589a852','2026-11-28 20:27:31.510771','2026-11-28 20:27:31.510771',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(11,'3976a63be5d1eb1410bf1618bac20f69','2026-11-28 20:27:31.521912','2026-11-28 20:27:31.521912',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(12,'43e8666091adb44339d12d6a28037d5c','2026-11-28 20:27:31.526524','2026-11-28 20:27:31.526524',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(13,'62095f890ae6e9eb6599f6db93adba6b','2026-11-28 20:27:31.545343','2026-11-28 20:27:31.545343',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(14,'0a43612a24ddb3f106e09c606a3bb6c7','2026-11-28 20:27:31.561738','2026-11-28 20:27:31.561738',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(15,'957f095e2a3251fb22351c2f17f2adf9','2026-11-28 20:27:31.565297','2026-11-28 20:27:31.565297',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(16,'0047b8181d3c6b2bfba96a56e5bb2667','2026-11-28 20:27:31.581804','2026-11-28 20:27:31.581804',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(17,'5f6bcb7a7ffe8433720f1e5f079d2e6a','2026-11-28 20:27:31.590473','2026-11-28 20:27:31.590473',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(18,'08c3f7afd981c42831db0a0c630f0895','2026-11-28 20:27:31.605361','2026-11-28 20:27:31.605361',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(19,'df7694311921457bf749844a1e8a355c','2026-11-28 20:27:31.618480','2026-11-28 20:27:31.618480',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(20,'cc635bccd02d2291bbe84e0ba3e19348','2026-11-28 20:27:31.637822','2026-11-28 20:27:31.637822',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(21,'c2cd33b65678a3125995e256d7b0a0af','2026-11-28 20:27:31.644202','2026-11-28 20:27:31.644202',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(22,'0c4319df0444f3eb01e49b5f889a2ee7','2026-11-28 20:27:31.665738','2026-11-28 20:27:31.665738',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(23,'a891a709dc36ea9a1fec95a7d8ed2318','2026-11-28 20:27:31.667745','2026-11-28 20:27:31.667745',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(24,'3948bcd8bc07af9dcffcc9f0d47029a9','2026-11-28 20:27:31.682728','2026-11-28 20:27:31.682728',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(25,'c3d83b54d168de2b39de3d759dcc9133','2026-11-28 20:27:31.693709','2026-11-28 20:27:31.693709',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(26,'a0c01534794d1ee823c784d5377b9084','2026-11-28 20:27:31.702723','2026-11-28 20:27:31.702723',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(27,'c0043da640b5e75b9733008f37806ddb','2026-11-28 20:27:31.717480','2026-11-28 20:27:31.717480',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(28,'43f94392c87be94b02cc4eb25262f32a','2026-11-28 20:27:31.729753','2026-11-28 20:27:31.729753',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(29,'cbdf17eafae0e7a194fa9763663fbf29','2026-11-28 20:27:31.745833','2026-11-28 20:27:31.745833',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(30,'0d4aa6917cea58b5a752e737cb084f81','2026-11-28 20:27:31.758777','2026-11-28 20:27:31.758777',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(31,'8b58d34182b3b06c0db2ad5ce66540ff','2026-11-28 20:27:50.429896','2026-11-28 20:27:50.429896',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(32,'b32ba04ef12a0c7a189959cb2f04f6c2','2026-11-28 20:27:50.431061','2026-11-28 20:27:50.431061',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(33,'e7c47a33ff60817f75ab3170ddfabcf8','2026-11-28 20:27:50.431874','2026-11-28 20:27:50.431874',NULL,NULL);
INSERT INTO "dailystory_customers_contact_map" VALUES(34,'86392517686dd93b67a390873cc0b634','2026-11-28 20:27:50.432568','2026-11-28 20:27:50.432568',NULL,NULL);
CREATE TABLE dailystory_customers_intents (
	customer_id  NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at DATETIME, 
	PRIMARY KEY (customer_id)
);
INSERT INTO "dailystory_customers_intents" VALUES(35,'customer35@example.com',NULL,NULL,'20261128T202748612166-5359',7,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(36,'customer36@example.com',NULL,NULL,'20261128T202748612166-5359',8,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(37,'customer37@example.com',NULL,NULL,'20261128T202748612166-5359',9,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(38,'customer38@example.com',NULL,NULL,'20261128T202748612166-5359',10,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(39,'customer39@example.com',NULL,NULL,'20261128T202748612166-5359',11,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(40,'customer40@example.com',NULL,NULL,'20261128T202748612166-5359',12,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(41,'customer41@example.com',NULL,NULL,'20261128T202748612166-5359',13,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(42,'customer42@example.com',NULL,NULL,'20261128T202748612166-5359',14,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(43,'customer43@example.com',NULL,NULL,'20261128T202748612166-5359',15,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(44,'customer44@example.com',NULL,NULL,'20261128T202748612166-5359',16,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(45,'customer45@example.com',NULL,NULL,'20261128T202748612166-5359',17,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(46,'customer46@example.com',NULL,NULL,'20261128T202748612166-5359',18,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(47,'customer47@example.com',NULL,NULL,'20261128T202748612166-5359',19,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(48,'customer48@example.com',NULL,NULL,'20261128T202748612166-5359',20,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(49,'customer49@example.com',NULL,NULL,'20261128T202748612166-5359',21,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(50,'customer50@example.com',NULL,NULL,'20261128T202748612166-5359',22,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(51,'customer51@example.com',NULL,NULL,'20261128T202748612166-5359',23,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(52,'customer52@example.com',NULL,NULL,'20261128T202748612166-5359',24,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(53,'customer53@example.com',NULL,NULL,'20261128T202748612166-5359',25,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(54,'customer54@example.com',NULL,NULL,'20261128T202748612166-5359',26,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(55,'customer55@example.com',NULL,NULL,'20261128T202748612166-5359',27,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(56,'customer56@example.com',NULL,NULL,'20261128T202748612166-5359',28,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(57,'customer57@example.com',NULL,NULL,'20261128T202748612166-5359',29,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(58,'customer58@example.com',NULL,NULL,'20261128T202748612166-5359',30,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(59,'customer59@example.com',NULL,NULL,'20261128T202748612166-5359',31,'2026-11-28 20:27:50.079549');
INSERT INTO "dailystory_customers_intents" VALUES(60,'customer60@example.com',NULL,NULL,'20261128T202748612166-5359',32,'2026-11-28 20:27:50.079549');
CREATE TABLE dailystory_customers_rejections (
	customer_id , 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at DATETIME, 
	last_seen_at DATETIME
);
INSERT INTO "dailystory_customers_rejections" VALUES(3,'invalid_email','email (column ''email'') is not an address that can receive mail (nor can the domains .test, .invalid and .local); correct it in the source or make it NULL in the query',NULL,1,0,'2026-11-28 20:27:30.575185','2026-11-28 20:27:49.225764');
INSERT INTO "dailystory_customers_rejections" VALUES(4,'refused','DailyStory refused the request (400): An error has occurred','d3501d58d87b95707af19b9105dd39a1',1,1,'2026-11-28 20:27:31.916498','2026-11-28 20:27:31.916498');
CREATE TABLE dailystory_customers_row_hashes (
	customer_id  NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);
CREATE TABLE dailystory_customers_snapshot (
	customer_id  NOT NULL, 
	field_email , 
	"field_firstName" , 
	"field_optOutEmail" , 
	custom_plan , 
	identity_email TEXT, 
	identity_mobile TEXT, 
	partition_value TEXT, 
	resend_all BOOLEAN, 
	absent_since DATETIME, 
	absent_action TEXT, 
	PRIMARY KEY (customer_id)
);
INSERT INTO "dailystory_customers_snapshot" VALUES(1,'customer1@example.com','Name 1',0,'free','customer1@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(2,'customer2@example.com','Name 2',1,'free','customer2@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(5,'customer5@example.com','Name 5',0,'free','customer5@example.com',NULL,NULL,0,'2026-11-28 20:27:34.089539','deactivate');
INSERT INTO "dailystory_customers_snapshot" VALUES(6,'customer6@example.com','Changed',0,'free','customer6@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(7,'customer7@example.com','Name 7',0,'free','customer7@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(8,'customer8@example.com','Name 8',0,'free','customer8@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(9,'customer9@example.com','Name 9',0,'free','customer9@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(10,'customer10@example.com','Name 10',0,'free','customer10@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(11,'customer11@example.com','Name 11',0,'free','customer11@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(12,'customer12@example.com','Name 12',0,'free','customer12@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(13,'customer13@example.com','Name 13',0,'free','customer13@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(14,'customer14@example.com','Name 14',0,'free','customer14@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(15,'customer15@example.com','Name 15',0,'free','customer15@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(16,'customer16@example.com','Name 16',0,'free','customer16@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(17,'customer17@example.com','Name 17',0,'free','customer17@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(18,'customer18@example.com','Name 18',0,'free','customer18@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(19,'customer19@example.com','Name 19',0,'free','customer19@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(20,'customer20@example.com','Name 20',0,'free','customer20@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(21,'customer21@example.com','Name 21',0,'free','customer21@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(22,'customer22@example.com','Name 22',0,'free','customer22@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(23,'customer23@example.com','Name 23',0,'free','customer23@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(24,'customer24@example.com','Name 24',0,'free','customer24@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(25,'customer25@example.com','Name 25',0,'free','customer25@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(26,'customer26@example.com','Name 26',0,'free','customer26@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(27,'customer27@example.com','Name 27',0,'free','customer27@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(28,'customer28@example.com','Name 28',0,'free','customer28@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(29,'customer29@example.com','Name 29',0,'free','customer29@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(30,'customer30@example.com','Name 30',0,'free','customer30@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(31,'customer31@example.com','Name 31',0,'free','customer31@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(32,'customer32@example.com','Name 32',0,'free','customer32@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(33,'customer33@example.com','Name 33',0,'free','customer33@example.com',NULL,NULL,0,NULL,NULL);
INSERT INTO "dailystory_customers_snapshot" VALUES(34,'customer34@example.com','Name 34',0,'free','customer34@example.com',NULL,NULL,0,NULL,NULL);
CREATE TABLE dailystory_meta (
	name TEXT NOT NULL, 
	value TEXT, 
	holder TEXT, 
	fence BIGINT, 
	heartbeat_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "dailystory_meta" VALUES('schema_version','2',NULL,NULL,NULL);
INSERT INTO "dailystory_meta" VALUES('secret','fd64cbd9ff158c300bb25d94929992eb2d8a67c53576c1a2303b0987c4b27c7b',NULL,NULL,NULL);
INSERT INTO "dailystory_meta" VALUES('lock:customers',NULL,'a-worker/pid:[1]:31816:322628:508f3b86',3,'2026-11-28 20:27:50.701308');
INSERT INTO "dailystory_meta" VALUES('destination','http://127.0.0.1:18019/api/v1',NULL,NULL,NULL);
INSERT INTO "dailystory_meta" VALUES('lock:regional',NULL,NULL,3,'2026-11-28 20:27:39.513129');
CREATE TABLE dailystory_plans (
	plan_id TEXT NOT NULL, 
	sync_name TEXT, 
	partition_value TEXT, 
	run_id TEXT, 
	scope TEXT, 
	options TEXT, 
	mapping_version TEXT, 
	destination TEXT, 
	status TEXT, 
	guards TEXT, 
	changes_by_field TEXT, 
	rejections_by_reason TEXT, 
	rows_read BIGINT, 
	rows_unchanged BIGINT, 
	rows_to_create BIGINT, 
	rows_to_update BIGINT, 
	rows_to_delete BIGINT, 
	rows_rejected BIGINT, 
	rows_held BIGINT, 
	diff_seconds FLOAT, 
	created_at DATETIME, 
	sent_at DATETIME, 
	finished_at DATETIME, 
	left_priority BIGINT, 
	left_sequence BIGINT, 
	PRIMARY KEY (plan_id)
);
INSERT INTO "dailystory_plans" VALUES('20261128T202730065523-476e','customers',NULL,'python-7751550d8199f7a8','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','8268987dccc2','http://127.0.0.1:18019/api/v1','done','[{"name": "source_not_empty", "passed": true, "message": "30 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "1 of 30 rows would be set aside, which is 3.3%; max_rejected_fraction sets no limit"}]','{"email": 29, "firstName": 29, "optOutEmail": 29, "plan": 29}','{"invalid_email": 1}',30,0,29,0,0,1,0,9.52674722000210749683e-01,'2026-11-28 20:27:30.706748','2026-11-28 20:27:30.825563','2026-11-28 20:27:32.079310',1,30);
INSERT INTO "dailystory_plans" VALUES('20261128T202732552667-5d4d','customers',NULL,'python-464718cfefaf9b54','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','8268987dccc2','http://127.0.0.1:18019/api/v1','done','[{"name": "source_not_empty", "passed": true, "message": "29 rows were read"}, {"name": "changed_share", "passed": true, "message": "1 of 28 contacts would be updated, which is 3.6%; max_changed_fraction sets no limit"}, {"name": "deleted_share", "passed": true, "message": "1 of 28 contacts would be deactivated, which is 3.6%; max_deleted_fraction sets no limit"}, {"name": "rejected_share", "passed": true, "message": "1 of 29 rows would be set aside, which is 3.4%; max_rejected_fraction sets no limit"}]','{"firstName": 1}','{"invalid_email": 1}',29,26,0,1,1,1,1,7.33875262999845290323e-01,'2026-11-28 20:27:33.138245','2026-11-28 20:27:33.266527','2026-11-28 20:27:34.210465',1000000,4);
INSERT INTO "dailystory_plans" VALUES('20261128T202734559953-1b84','regional','emea','python-694758c6170da2a8','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','0a7125987fa2','http://127.0.0.1:18019/api/v1','done','[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]','{"email": 4, "city": 4}','{}',4,0,4,0,0,0,0,8.33975302999988343799e-01,'2026-11-28 20:27:35.232585','2026-11-28 20:27:35.292319','2026-11-28 20:27:35.895482',1,4);
INSERT INTO "dailystory_plans" VALUES('20261128T202736332664-0f82','regional','amer','python-6ca5edf40c8cc5be','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','0a7125987fa2','http://127.0.0.1:18019/api/v1','done','[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]','{"email": 4, "city": 4}','{}',4,0,4,0,0,0,0,8.70415754000077868113e-01,'2026-11-28 20:27:37.068531','2026-11-28 20:27:37.239722','2026-11-28 20:27:37.990038',1,4);
INSERT INTO "dailystory_plans" VALUES('20261128T202738291260-ddec','regional','other_values','python-41787e08e144f937','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','0a7125987fa2','http://127.0.0.1:18019/api/v1','done','[{"name": "source_not_empty", "passed": true, "message": "4 rows were read"}, {"name": "changed_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "deleted_share", "passed": true, "message": "not judged: there are no contacts to judge"}, {"name": "rejected_share", "passed": true, "message": "0 of 4 rows would be set aside, which is 0.0%; max_rejected_fraction sets no limit"}]','{"email": 4, "city": 4}','{}',4,0,4,0,0,0,0,5.90414084000258299056e-01,'2026-11-28 20:27:38.809625','2026-11-28 20:27:38.895336','2026-11-28 20:27:39.514288',1,4);
INSERT INTO "dailystory_plans" VALUES('20261128T202748612166-5359','customers',NULL,'python-680e121950541ddc','changed','{"limit": null, "keys": 0, "since": null, "next_mark": null}','8268987dccc2','http://127.0.0.1:18019/api/v1','sending','[{"name": "source_not_empty", "passed": true, "message": "59 rows were read"}, {"name": "changed_share", "passed": true, "message": "0 of 27 contacts would be updated, which is 0.0%; max_changed_fraction sets no limit"}, {"name": "deleted_share", "passed": true, "message": "0 of 27 contacts would be deactivated, which is 0.0%; max_deleted_fraction sets no limit"}, {"name": "rejected_share", "passed": true, "message": "1 of 59 rows would be set aside, which is 1.7%; max_rejected_fraction sets no limit"}]','{"email": 30, "firstName": 30, "optOutEmail": 30, "plan": 30}','{"invalid_email": 1}',59,27,30,0,0,1,1,9.01027365000118152238e-01,'2026-11-28 20:27:49.365123','2026-11-28 20:27:49.523250',NULL,1,32);
CREATE TABLE dailystory_regional_changes (
	plan_id TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	customer_id  NOT NULL, 
	operation TEXT, 
	partition_value TEXT, 
	identity_email TEXT, 
	identity_mobile TEXT, 
	is_new BOOLEAN, 
	replaces BOOLEAN, 
	identity_changed BOOLEAN, 
	rekeyed BOOLEAN, 
	reactivates BOOLEAN, 
	dsid TEXT, 
	priority BIGINT, 
	waits_for BIGINT, 
	field_email , 
	field_city , 
	differs_field_email BOOLEAN, 
	differs_field_city BOOLEAN, 
	outcome TEXT, 
	reason TEXT, 
	message TEXT, 
	attempts BIGINT, 
	answered_at DATETIME, 
	PRIMARY KEY (plan_id, sequence)
);
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202734559953-1b84',1,3,'create','emea','regional3@example.com',NULL,1,1,0,NULL,0,'9193dab2b6205621be1efe04e0c28157',1,NULL,'regional3@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:35.698315');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202734559953-1b84',2,6,'create','emea','regional6@example.com',NULL,1,1,0,NULL,0,'9593c728d3a719bba34c4c1d187d2f0e',1,NULL,'regional6@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:35.727072');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202734559953-1b84',3,9,'create','emea','regional9@example.com',NULL,1,1,0,NULL,0,'686b09a8af7b2cb7a15ec76b472fbc30',1,NULL,'regional9@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:35.727281');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202734559953-1b84',4,12,'create','emea','regional12@example.com',NULL,1,1,0,NULL,0,'cd8056e8f8393f3cb5b33ba43619e6d9',1,NULL,'regional12@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:35.727407');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202736332664-0f82',1,1,'create','amer','regional1@example.com',NULL,1,1,0,NULL,0,'3f780410cd6932f3604ee6177db6d1c2',1,NULL,'regional1@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:37.749543');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202736332664-0f82',2,4,'create','amer','regional4@example.com',NULL,1,1,0,NULL,0,'44c28ea69a67e36b1f2c175ef39e1bb1',1,NULL,'regional4@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:37.749765');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202736332664-0f82',3,7,'create','amer','regional7@example.com',NULL,1,1,0,NULL,0,'efb3aa3d38b40c002b90eb3d7e1846a5',1,NULL,'regional7@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:37.749861');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202736332664-0f82',4,10,'create','amer','regional10@example.com',NULL,1,1,0,NULL,0,'c1b6b64fc1824a62f54d4987c4724def',1,NULL,'regional10@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:37.749984');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202738291260-ddec',1,2,'create','other_values','regional2@example.com',NULL,1,1,0,NULL,0,'b28fb78e8efdc52437b61b23c9443d29',1,NULL,'regional2@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:39.310195');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202738291260-ddec',2,5,'create','other_values','regional5@example.com',NULL,1,1,0,NULL,0,'265e331d97fe08efed7da57d56c7a792',1,NULL,'regional5@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:39.314131');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202738291260-ddec',3,8,'create','other_values','regional8@example.com',NULL,1,1,0,NULL,0,'204975210e49c17c33e7b573676c31d0',1,NULL,'regional8@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:39.320667');
INSERT INTO "dailystory_regional_changes" VALUES('20261128T202738291260-ddec',4,11,'create','other_values','regional11@example.com',NULL,1,1,0,NULL,0,'47ebb0c8363f1b12c19adf70004668af',1,NULL,'regional11@example.com','Oslo',1,1,'created',NULL,NULL,1,'2026-11-28 20:27:39.326237');
CREATE TABLE dailystory_regional_contact_map (
	customer_id  NOT NULL, 
	dsid TEXT NOT NULL, 
	first_synced_at DATETIME, 
	last_synced_at DATETIME, 
	deactivated_at DATETIME, 
	deleted_at DATETIME, 
	PRIMARY KEY (customer_id)
);
INSERT INTO "dailystory_regional_contact_map" VALUES(3,'9193dab2b6205621be1efe04e0c28157','2026-11-28 20:27:35.698315','2026-11-28 20:27:35.698315',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(6,'9593c728d3a719bba34c4c1d187d2f0e','2026-11-28 20:27:35.727072','2026-11-28 20:27:35.727072',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(9,'686b09a8af7b2cb7a15ec76b472fbc30','2026-11-28 20:27:35.727281','2026-11-28 20:27:35.727281',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(12,'cd8056e8f8393f3cb5b33ba43619e6d9','2026-11-28 20:27:35.727407','2026-11-28 20:27:35.727407',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(1,'3f780410cd6932f3604ee6177db6d1c2','2026-11-28 20:27:37.749543','2026-11-28 20:27:37.749543',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(4,'44c28ea69a67e36b1f2c175ef39e1bb1','2026-11-28 20:27:37.749765','2026-11-28 20:27:37.749765',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(7,'efb3aa3d38b40c002b90eb3d7e1846a5','2026-11-28 20:27:37.749861','2026-11-28 20:27:37.749861',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(10,'c1b6b64fc1824a62f54d4987c4724def','2026-11-28 20:27:37.749984','2026-11-28 20:27:37.749984',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(2,'b28fb78e8efdc52437b61b23c9443d29','2026-11-28 20:27:39.310195','2026-11-28 20:27:39.310195',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(5,'265e331d97fe08efed7da57d56c7a792','2026-11-28 20:27:39.314131','2026-11-28 20:27:39.314131',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(8,'204975210e49c17c33e7b573676c31d0','2026-11-28 20:27:39.320667','2026-11-28 20:27:39.320667',NULL,NULL);
INSERT INTO "dailystory_regional_contact_map" VALUES(11,'47ebb0c8363f1b12c19adf70004668af','2026-11-28 20:27:39.326237','2026-11-28 20:27:39.326237',NULL,NULL);
CREATE TABLE dailystory_regional_intents (
	customer_id  NOT NULL, 
	email_as_sent TEXT, 
	mobile_as_sent TEXT, 
	dsid TEXT, 
	plan_id TEXT, 
	sequence BIGINT, 
	sent_at DATETIME, 
	PRIMARY KEY (customer_id)
);
CREATE TABLE dailystory_regional_rejections (
	customer_id , 
	reason TEXT, 
	message TEXT, 
	fingerprint TEXT, 
	source_rows BIGINT, 
	attempts BIGINT, 
	first_seen_at DATETIME, 
	last_seen_at DATETIME
);
CREATE TABLE dailystory_regional_row_hashes (
	customer_id  NOT NULL, 
	row_hash BIGINT, 
	PRIMARY KEY (customer_id)
);
CREATE TABLE dailystory_regional_snapshot (
	customer_id  NOT NULL, 
	field_email , 
	field_city , 
	identity_email TEXT, 
	identity_mobile TEXT, 
	partition_value TEXT, 
	resend_all BOOLEAN, 
	absent_since DATETIME, 
	absent_action TEXT, 
	PRIMARY KEY (customer_id)
);
INSERT INTO "dailystory_regional_snapshot" VALUES(3,'regional3@example.com','Oslo','regional3@example.com',NULL,'emea',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(6,'regional6@example.com','Oslo','regional6@example.com',NULL,'emea',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(9,'regional9@example.com','Oslo','regional9@example.com',NULL,'emea',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(12,'regional12@example.com','Oslo','regional12@example.com',NULL,'emea',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(1,'regional1@example.com','Oslo','regional1@example.com',NULL,'amer',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(4,'regional4@example.com','Oslo','regional4@example.com',NULL,'amer',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(7,'regional7@example.com','Oslo','regional7@example.com',NULL,'amer',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(10,'regional10@example.com','Oslo','regional10@example.com',NULL,'amer',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(2,'regional2@example.com','Oslo','regional2@example.com',NULL,'other_values',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(5,'regional5@example.com','Oslo','regional5@example.com',NULL,'other_values',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(8,'regional8@example.com','Oslo','regional8@example.com',NULL,'other_values',0,NULL,NULL);
INSERT INTO "dailystory_regional_snapshot" VALUES(11,'regional11@example.com','Oslo','regional11@example.com',NULL,'other_values',0,NULL,NULL);
CREATE TABLE dailystory_runs (
	run_id TEXT, 
	plan_id TEXT, 
	sync_name TEXT, 
	partition_value TEXT, 
	outcome TEXT, 
	started_at DATETIME, 
	finished_at DATETIME, 
	rows_created BIGINT, 
	rows_updated BIGINT, 
	rows_deleted BIGINT, 
	rows_mapped BIGINT, 
	rows_refused BIGINT, 
	rows_failed BIGINT, 
	rows_in_doubt BIGINT, 
	rows_conflicted BIGINT, 
	api_requests BIGINT, 
	api_retries BIGINT, 
	api_throttled BIGINT, 
	send_seconds FLOAT
);
INSERT INTO "dailystory_runs" VALUES('python-7751550d8199f7a8','20261128T202730065523-476e','customers',NULL,'done','2026-11-28 20:27:30.905078','2026-11-28 20:27:32.079310',28,0,0,0,1,0,0,0,30,0,0,1.14963397600013195187e+00);
INSERT INTO "dailystory_runs" VALUES('python-464718cfefaf9b54','20261128T202732552667-5d4d','customers',NULL,'done','2026-11-28 20:27:33.327972','2026-11-28 20:27:34.210465',0,1,1,0,0,0,0,0,3,0,0,8.71847910999804298626e-01);
INSERT INTO "dailystory_runs" VALUES('python-694758c6170da2a8','20261128T202734559953-1b84','regional','emea','done','2026-11-28 20:27:35.364330','2026-11-28 20:27:35.895482',4,0,0,0,0,0,0,0,5,0,0,5.29115662000094744144e-01);
INSERT INTO "dailystory_runs" VALUES('python-6ca5edf40c8cc5be','20261128T202736332664-0f82','regional','amer','done','2026-11-28 20:27:37.360283','2026-11-28 20:27:37.990038',4,0,0,0,0,0,0,0,5,0,0,6.15224667999882512958e-01);
INSERT INTO "dailystory_runs" VALUES('python-41787e08e144f937','20261128T202738291260-ddec','regional','other_values','done','2026-11-28 20:27:38.973020','2026-11-28 20:27:39.514288',4,0,0,0,0,0,0,0,5,0,0,5.36918552999850362539e-01);
CREATE TABLE recent_customers (country varchar(2), number integer, email varchar(100), first_name varchar(100), updated_at timestamp);
INSERT INTO "recent_customers" VALUES('no',1,'recent1@example.com','Name 1','2026-11-01 01:00:00');
INSERT INTO "recent_customers" VALUES('no',2,'recent2@example.com','Name 2','2026-11-01 02:00:00');
INSERT INTO "recent_customers" VALUES('no',3,'recent3@example.com','Name 3','2026-11-01 03:00:00');
INSERT INTO "recent_customers" VALUES('no',4,'recent4@example.com','Name 4','2026-11-01 04:00:00');
INSERT INTO "recent_customers" VALUES('no',5,'recent5@example.com','Name 5','2026-11-01 05:00:00');
INSERT INTO "recent_customers" VALUES('no',6,'recent6@example.com','Name 6','2026-11-01 06:00:00');
INSERT INTO "recent_customers" VALUES('no',7,'recent7@example.com','Name 7','2026-11-01 07:00:00');
INSERT INTO "recent_customers" VALUES('no',8,'recent8@example.com','Name 8','2026-11-01 08:00:00');
INSERT INTO "recent_customers" VALUES('no',9,'recent9@example.com','Name 9','2026-11-01 09:00:00');
INSERT INTO "recent_customers" VALUES('no',10,'recent10@example.com','Name 10','2026-11-01 10:00:00');
CREATE TABLE regional_customers (customer_id integer, email varchar(100), city varchar(100), region varchar(20));
INSERT INTO "regional_customers" VALUES(1,'regional1@example.com','Oslo','amer');
INSERT INTO "regional_customers" VALUES(2,'regional2@example.com','Oslo',NULL);
INSERT INTO "regional_customers" VALUES(3,'regional3@example.com','Oslo','emea');
INSERT INTO "regional_customers" VALUES(4,'regional4@example.com','Oslo','amer');
INSERT INTO "regional_customers" VALUES(5,'regional5@example.com','Oslo',NULL);
INSERT INTO "regional_customers" VALUES(6,'regional6@example.com','Oslo','emea');
INSERT INTO "regional_customers" VALUES(7,'regional7@example.com','Oslo','amer');
INSERT INTO "regional_customers" VALUES(8,'regional8@example.com','Oslo',NULL);
INSERT INTO "regional_customers" VALUES(9,'regional9@example.com','Oslo','emea');
INSERT INTO "regional_customers" VALUES(10,'regional10@example.com','Oslo','amer');
INSERT INTO "regional_customers" VALUES(11,'regional11@example.com','Oslo',NULL);
INSERT INTO "regional_customers" VALUES(12,'regional12@example.com','Oslo','emea');
CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON dailystory_customers_snapshot (identity_email);
CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON dailystory_customers_snapshot (identity_mobile);
CREATE INDEX dailystory_customers_contact_map_759c46fa ON dailystory_customers_contact_map (dsid);
CREATE INDEX dailystory_customers_rejections_9a0e715d ON dailystory_customers_rejections (customer_id);
CREATE INDEX dailystory_regional_snapshot_68ca2fa5 ON dailystory_regional_snapshot (identity_mobile);
CREATE INDEX dailystory_regional_snapshot_e770d4ef ON dailystory_regional_snapshot (identity_email);
CREATE INDEX dailystory_regional_contact_map_c5542804 ON dailystory_regional_contact_map (dsid);
CREATE INDEX dailystory_regional_rejections_febbb11e ON dailystory_regional_rejections (customer_id);
COMMIT;
